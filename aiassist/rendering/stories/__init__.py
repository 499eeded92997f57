"""The physics of each kind of clip: one function per kind turns a ClipSpec into a Drive."""
