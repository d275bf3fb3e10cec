using Orchestrator.Api;
using Orchestrator.Cli.Commands;
using Orchestrator.Cli.Output;

ModelJson.Use();
using var terminal = new Terminal();
return await Orc.RunAsync(args, terminal);
