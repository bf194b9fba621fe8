Feature: An answer that is lost on its way leaves no second holder
  The store has granted a lock, but whoever asked never hears of it, asks again, and is refused by its own lock.

  @check:H06
  Rule: A lost answer to a lock request never leads to two holders

    @short @disruptive:balancer @needs:control
    Scenario: Whoever is kept out by its own lock can be told from others, and helped
      Given a state that was written before
      And the answer is lost whenever its lock is granted
      When two runners apply a change to it, one after the other
      Then neither of them changed the state
      And the first one was kept out by its own lock
      And the second one was kept out by the lock of the first
      And once the answers arrive again and the lock is released, the next apply succeeds
