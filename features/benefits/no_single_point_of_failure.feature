Feature: No machine is needed
  Every machine of the lab may be lost, one at a time, and the work goes on.

  @check:B2
  Rule: No single point of failure: execution

    @disruptive:runner @needs:cut-power
    Scenario: Each runner may be lost, one after the other
      Given a client that opens a new connection to the fleet every 200 milliseconds
      When each runner in turn loses its power and comes back
      Then every connection opened while a runner was dead is answered by another runner

    @short @disruptive:runner @needs:cut-power
    Scenario: One runner alone still does the work
      Given a state that was written before
      When all runners but one lose their power
      Then a pipeline job through the endpoint still applies a change

  @check:B3
  Rule: No single point of failure: network

    @disruptive:balancer @needs:cut-power
    Scenario: The plug of the balancer that has the address is pulled
      Given the balancer that has the address of the endpoint
      When its power is cut
      Then the other balancer has the address within 5 seconds, and is the only one
      And both endpoints serve
      And nothing moves back when it returns

    @short @disruptive:balancer @needs:control
    Scenario: HAProxy stops on the balancer that has the address
      Given the balancer that has the address of the endpoint
      When its HAProxy is stopped
      Then the other balancer has the address within 5 seconds, and is the only one
      And both endpoints serve
      And nothing moves back when it returns

    @disruptive:balancer @needs:control
    Scenario: HAProxy freezes on the balancer that has the address
      Given the balancer that has the address of the endpoint
      When its HAProxy freezes
      Then the other balancer has the address within 10 seconds, and is the only one
      And both endpoints serve
      And nothing moves back when it returns

    @disruptive:balancer @needs:control
    Scenario: keepalived stops on the balancer that has the address
      Given the balancer that has the address of the endpoint
      When its keepalived is stopped
      Then the other balancer has the address within 5 seconds, and is the only one
      And both endpoints serve
      And nothing moves back when it returns

    @disruptive:balancer @needs:control
    Scenario: Busy machines do not move the address
      Given the balancer that has the address of the endpoint
      When all balancers are busy for 20 seconds
      Then it had the address all the time

  @check:B1
  Rule: No single point of failure: state backend

    @disruptive:storage @needs:cut-power
    Scenario: Each storage machine may be lost, one after the other
      Given pipelines that change two states without a pause
      When each storage machine in turn loses its power and comes back
      Then no apply failed
      And no apply lasted longer than 60 seconds

    @short @disruptive:storage @needs:control
    Scenario: MinIO is killed on a storage machine
      Given pipelines that change two states without a pause
      And an object that one storage machine is handing out to a reader
      When MinIO is killed on that machine while they work
      Then no apply failed
      And no apply lasted longer than 60 seconds
      And that object can be written again within 60 seconds

    @disruptive:storage @needs:control
    Scenario: MinIO is stopped on a storage machine
      Given pipelines that change two states without a pause
      When MinIO is stopped on one storage machine while they work
      Then no apply failed
      And no apply lasted longer than 60 seconds

    @thorough @disruptive:storage @needs:control
    Scenario Outline: MinIO is <done> on each storage machine, one after the other
      Given pipelines that change two states without a pause
      When MinIO is <done> on each storage machine in turn while they work
      Then no apply failed
      And no apply lasted longer than 60 seconds

      Examples:
        | done    |
        | killed  |
        | stopped |

    @disruptive:storage @disruptive:quorum @needs:cut-power @needs:control
    Scenario: A storage machine that came back knows what it missed
      Given a state that was written before
      When one storage machine is without power while the state is changed, and comes back
      Then reading the versions of the state repairs them on that machine within 60 seconds
      And with one witness alone it gives the newest state

    @thorough @disruptive:storage @disruptive:quorum @needs:cut-power @needs:control
    Scenario Outline: The <which> storage machine, too, knows what it missed when it came back
      Given a state that was written before
      When the <which> storage machine is without power while the state is changed, and comes back
      Then reading the versions of the state repairs them on that machine within 60 seconds
      And with one witness alone it gives the newest state

      Examples:
        | which  |
        | first  |
        | second |
        | third  |
        | last   |
