Feature: Strangers get nothing
  Whoever reaches the network of the lab, but has no key, must neither read a state nor change anything.

  @check:H31
  Rule: The guide's default credentials are refused

    @short
    Scenario: Nobody gets in with what everybody can read
      When the state store is asked for a list with the credentials that the guide prints, and with MinIO's own defaults
      Then every storage machine and the endpoint refuse each of them

  @check:H32
  Rule: Nobody reads or writes the bucket without credentials

    @short
    Scenario: Without a key there is nothing to see and nothing to change
      Given a state that was written before
      When somebody without any key tries to list, read, write and delete
      Then every attempt is refused
      And the state can still be read, unchanged

  @check:H34
  Rule: A stranger cannot change the balancer through the statistics page

    @short
    Scenario: The statistics page takes no orders
      When a stranger orders each balancer, through its statistics page, to keep a healthy runner in service
      Then no balancer follows the order

  @check:H35
  Rule: Every runner proves its identity behind the one address

    @short @disruptive:runner @needs:control
    Scenario: A machine that cannot prove who it is gets nobody's trust
      Given a runner that lost its proof of identity and was given a stranger's key
      When a pipeline that trusts only the lab's own machines connects 4 times for each runner
      Then it refuses to talk to the stranger
      And it is served by all other runners
