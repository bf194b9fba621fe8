Feature: A state that began on a disk moves to the state store
  Many teams start with a state file beside their configuration. It must move without loss,
  and never without somebody's consent.

  @check:V3
  Rule: `tofu init -migrate-state` successfully moved state to MinIO

    @short
    Scenario: Everything arrives, and the file is no longer used
      Given a configuration with resources and its state in a local file
      When its state is migrated to the state store
      Then the state store holds exactly the same resources
      And a plan shows no changes
      And later changes continue that history, and the local file is no longer used

    Scenario: Nothing moves when nobody can be asked
      Given a configuration with resources and its state in a local file
      When a migration is started without approval and without anybody to ask
      Then it is refused for want of approval
      And the local file still holds the state
      And the state store holds nothing under its key
