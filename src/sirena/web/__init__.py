"""Pages for those who treat patients: a file, an isolate, and why each answer is what it is.

The pages compute nothing themselves: `whonet` reads, `panel` answers, and what stands here asks and shows.
"""
