"""Pages for people: the book of promises, a run's front page, its scenarios, its pictures."""
