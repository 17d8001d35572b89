"""The quizzes, one module a lesson; each lesson's module of checks has its own as ``QUIZ``."""
