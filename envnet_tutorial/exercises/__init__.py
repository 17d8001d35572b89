"""Checks for the exercises, one module a lesson; every check refuses a wrong answer and says what to look at."""
