Feature: The backend settings are accepted
  Runners are set up for the state store once. The settings should be today's, without warnings;
  those of the guide should still work, with a hint what to replace.

  @check:S3
  Rule: The backend configuration is accepted without deprecation warnings

    @short
    Scenario: The settings of every runner are accepted without a warning
      When every runner initialises a configuration with the settings of the lab
      Then each succeeds
      And none uses, or is warned of, an outdated argument

    Scenario: The guide's own block still works, and its outdated arguments are named
      When a runner uses the backend block as the guide prints it
      Then it can apply a change
      And OpenTofu itself says what replaces each of its outdated arguments
