// The checker in JavaScript, for Python: a JSON line with the text of a certificate in, a line with the verdict out.
import { createInterface } from "node:readline";
import { pathToFileURL } from "node:url";

const { check } = await import(pathToFileURL(process.argv[2]));
for await (const line of createInterface({ input: process.stdin })) console.log(JSON.stringify(check(JSON.parse(line))));
