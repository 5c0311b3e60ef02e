"""What each verb does, by occasion; the table that names them all is in commands.py."""
