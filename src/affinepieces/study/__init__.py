"""The numerical study: experiments of many runs, made once, kept for ever, and summarised."""
