using Orchestrator.Api;
using Orchestrator.Cli.Commands;
using Orchestrator.Cli.Output;
using Orchestrator.Cli.Serving;

// Not its subcommands, which are over in a moment.
if (args is [ProxyArguments.Command] or [ProxyArguments.Command, ['-', ..], ..])
{
    RuntimeSettings.Ensure(RuntimeSettings.OfProxy);
}
else if (args is [ServeCommand.Word, ..])
{
    RuntimeSettings.Ensure(RuntimeSettings.OfServe);
    RuntimeSettings.KeepToOneself(RuntimeSettings.OfServe);
}

ModelJson.Use();
using var terminal = new Terminal();
return await Orc.RunAsync(args, terminal);
