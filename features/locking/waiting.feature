Feature: A pipeline may wait for the lock
  Not every pipeline wants to fail at once; some can wait for their turn.

  @check:H03
  Rule: A lock timeout waits for the holder and then applies, or names the holder

    @short
    Scenario: Whoever waits long enough gets its turn
      Given a runner is in the middle of applying a change
      When another runner applies another change and is ready to wait 60 seconds for the lock
      Then the first one completes its change while the other waits
      And the other one applies its change after that
      And the state has grown by exactly two serials
      And nobody holds the lock any more

    Scenario: Whoever waits too short learns who held the lock
      Given a runner is in the middle of applying a change
      When another runner applies another change and waits 5 seconds for the lock
      Then it gave up after 5 seconds or more
      And it is refused because the first one holds the lock
      And the first one completes its change
