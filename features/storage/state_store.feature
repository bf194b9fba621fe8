Feature: The state store is there and stays there
  All knowledge about the infrastructure lies in one place. It must answer whoever has a key,
  come back by itself after a restart, and still hold what was written before.

  @check:V1
  Rule: MinIO is running and accessible

    @smoke
    Scenario: The endpoint answers a signed request
      When the state store is asked for its buckets with the administrator's key
      Then it answers
      And it says that it can read and write

    Scenario: Every storage machine serves
      When every storage machine is looked at
      Then on each of them MinIO is running
      And on each of them MinIO starts at boot
      And each of them answers a signed request
      And each of them shows the console on port 9001
      And each of them says that the store can read and write

    @disruptive:storage @needs:control
    Scenario: A restart of the service loses nothing
      Given a state that was written before
      When MinIO is restarted on a storage machine
      Then that machine serves again within 30 seconds
      And the state can be read there, unchanged

    @disruptive:storage @needs:reboot
    Scenario: A reboot of the machine loses nothing
      Given a state that was written before
      When a storage machine is rebooted
      Then that machine serves again within 60 seconds
      And the state can be read there, unchanged

  @check:S1
  Rule: MinIO is a systemd service that restarts always and starts at boot

    @short
    Scenario: The service is set up to come back
      When the MinIO service of every storage machine is looked at
      Then each is told to restart always
      And each starts at boot

    @disruptive:storage @needs:control
    Scenario: A killed service comes back by itself
      Given a state that was written before
      When the MinIO process of a storage machine is killed
      Then another process serves there within 30 seconds
      And the state can be read there, unchanged
