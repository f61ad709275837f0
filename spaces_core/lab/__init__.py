"""What the chapters of the book stand on: recordings, pictures, exercises, data. Not part of the installed library."""
