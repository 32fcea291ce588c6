"""The people of the story who have no lines of their own: who they are, what they do, what came of it so far.

All of it follows from the seed and a person's number, so that one more person changes nothing for the others.
Times are seconds from the beginning, which is when the story was planted.
"""
