Feature: The balancer keeps what its settings promise
  Its settings say how soon it notices a loss, how long a session may be silent, and who gets the next connection.

  @check:H21
  Rule: A silent session lives on

    @short
    Scenario: The idle limits leave room for a long apply
      When the settings of the running balancers are read
      Then a session to a runner may be silent for at least 1 hour

    @thorough
    Scenario: A session that says nothing for two minutes lives on
      When a session to a runner is silent for 120 seconds
      Then it still works

  @check:H27
  Rule: Detection and recovery stay within the bounds of the balancer's own configuration

    @short @disruptive:runner @needs:control
    Scenario: A stopped service is noticed as fast as the settings say
      Given the times that the balancers need by their own settings
      And a runner that answered a connection to the fleet
      When its SSH service is stopped
      Then it is out of rotation within the time for a refusing runner
      And once it is repaired, it is in rotation within the time for a returning runner

    @disruptive:runner @needs:cut-power
    Scenario: A lost machine is noticed as fast as the settings say
      Given the times that the balancers need by their own settings
      And a runner that answered a connection to the fleet
      When its plug is pulled
      Then it is out of rotation within the time for a silent runner
      And once it is repaired, it is in rotation within the time for a returning runner

  @check:H28
  Rule: Connections are distributed fairly over healthy runners

    @short
    Scenario: No runner gets less than half its share
      When a client connects to the fleet 20 times for each runner
      Then every connection is answered
      And no runner got less than half its share

  @check:H29
  Rule: A burst of 100 simultaneous connections is served completely

    @short @disruptive:balancer
    Scenario: A hundred pipelines begin at once
      When 100 clients connect to the fleet at the same moment
      Then every connection is answered
      And every runner answered at least once
