"""What do the theorems say? One function for each statement, named after it."""
