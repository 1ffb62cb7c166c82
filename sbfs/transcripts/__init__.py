"""Transcripts: what agents leave on disk, read into events. Leaves of the house: bytes in, plain values out."""
