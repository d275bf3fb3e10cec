return await Orchestrator.Cli.Commands.Orc.RunAsync(args);
