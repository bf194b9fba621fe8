Feature: A lock whose holder died can be dealt with
  A lock never expires. Whoever finds one must learn whose it was, and be able to release it, but not by mistake.

  @check:H02
  Rule: A runner that dies while applying leaves a lock that names it and can be released

    @short @disruptive:runner @needs:cut-power
    Scenario: The next one learns who died, and goes on
      Given a runner is in the middle of applying a change
      When the plug of the holder is pulled
      Then the lock still names the holder
      And every other runner is refused because of that lock
      And releasing it with a wrong id is refused
      And releasing it with the right id works
      And another runner applies the change, and the history has no gap
