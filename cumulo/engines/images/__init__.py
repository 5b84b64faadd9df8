"""Container images: kept by digest, unpacked once, made into root file systems. No AWS words in it.

All of it blocks: call it in a thread.
"""
