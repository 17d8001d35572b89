"""Programs that train for longer than a lesson, and keep what they find as results (`envnet_tutorial.results`).

`record` makes a result of run folders, `ablation` changes one ingredient of a recipe at a time, `controls` trains the
controls of lesson 5, `listening` keeps what a network hears in a few clips, `all` calls all of them. Each goes on where
it was stopped, and the commands that a result names make it again.
"""
