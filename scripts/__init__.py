"""What those who edit the book run: notebooks, their rules, the repository's address."""
