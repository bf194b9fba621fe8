Feature: A whole node of the cluster may be lost
  A node takes everything with it that runs on it, so what matters may not be on one node.

  @check:B10
  Rule: Distributed across multiple Proxmox nodes

    @short @needs:inspect
    Scenario: No node holds more machines of a role than the role can lose
      When the hypervisor is asked where every machine runs
      Then no node holds more storage machines than the store can lose
      And no node holds every balancer, and none every runner

    @disruptive:storage @disruptive:balancer @disruptive:runner @needs:inspect @needs:cut-power
    Scenario: The work goes on when a node is lost
      Given a state that was written before
      When a node with a storage machine is lost, and everything that runs on it
      Then a pipeline job through the endpoint applies a change within 60 seconds
