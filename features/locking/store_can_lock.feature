Feature: The store can lock
  A lock is one write that only succeeds where nothing is yet. If a store lets two of them pass, every promise
  about locking is void, however it looked before.

  @check:H01
  Rule: The store can lock: of many simultaneous conditional writes exactly one succeeds

    @short
    Scenario: The second write is refused, also after the first was deleted
      When an object is written twice on condition that there is none, deleted, and written so once more
      Then on every storage machine and at the endpoint the first write passes, the second is refused and the third passes

    Scenario Outline: 16 writers at once, <how>
      When 16 writers spread over all storage machines race <how> for <seconds> seconds
      Then in every round exactly one of them wins

      @short
      Examples:
        | how                                                     | seconds |
        | for a key that was just deleted, each last byte held back | 10      |

      Examples:
        | how                                                     | seconds |
        | for a key that never was                                | 10      |
        | for a key that was just deleted                         | 10      |

      @thorough
      Examples:
        | how                                                     | seconds |
        | for a key that never was, each last byte held back        | 60      |
