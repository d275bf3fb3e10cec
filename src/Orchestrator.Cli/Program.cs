using Orchestrator.Api;
using Orchestrator.Cli.Commands;
using Orchestrator.Cli.Output;
using Orchestrator.Cli.Serving;

if (args is [ProxyArguments.Command, ..])
{
    ProxyRuntime.Ensure();
}

ModelJson.Use();
using var terminal = new Terminal();
return await Orc.RunAsync(args, terminal);
