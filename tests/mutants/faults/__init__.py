"""The ports of the catalogue: a file is a chapter, named by what its ports get wrong."""
