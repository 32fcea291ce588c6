"""Answers: how Customer.io's are read, and the parts that ours are made of."""
