Feature: A pipeline needs one address
  A pipeline knows the endpoint and what the lab publishes about it, nothing else.

  @check:V8
  Rule: CI/CD can target single HAProxy endpoint (port 9000)

    @short
    Scenario: Jobs run one after another, on different runners
      Given a pipeline that knows only what the lab publishes for the endpoint
      When it runs a job 6 times, each of which changes the same state
      Then every job succeeds
      And more than one runner did the work
      And the state has grown by exactly one serial for each job

    Scenario: A job that fails says so
      Given a pipeline that knows only what the lab publishes for the endpoint
      When it runs commands that end with the exit codes 0, 1, 2 and 77
      Then it gets exactly these exit codes

    Scenario: A long output arrives complete and unpolluted
      Given a pipeline that knows only what the lab publishes for the endpoint
      When it runs a command that prints 5 megabytes
      Then it receives exactly these 5 megabytes
      And nothing else was printed
