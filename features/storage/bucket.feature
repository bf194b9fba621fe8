Feature: The bucket keeps what was written before
  A state that was overwritten by mistake can be had back, as the bucket keeps every version.

  @check:V2
  Rule: OpenTofu state bucket exists and is versioned

    @smoke
    Scenario: The bucket is set up to keep versions
      When the bucket of the states is looked at
      Then it exists
      And it keeps versions

    @short
    Scenario: What was overwritten can be read back
      When an object is written twice to the bucket of the states
      Then a plain read gives the second content
      And the version before still has the first content

  @check:S2
  Rule: The operator's client lists the bucket, its versioning and the state

    @short
    Scenario: An operator looks with mc
      Given a state that was migrated to the state store
      When an operator looks at the store with mc
      Then mc lists the bucket of the states
      And mc says that the bucket keeps versions
      And mc finds the state under its key
