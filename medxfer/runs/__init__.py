"""One run: from a specification to the files of its workdir."""
