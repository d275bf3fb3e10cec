using System.CommandLine;
using k8s;
using Orchestrator.Cli.Commands;
using Orchestrator.Cli.Connection;

namespace Orchestrator.Cli.Serving;

/// <summary>Options by which a server process finds its API server, when that is not the embedded one.</summary>
internal sealed class ConnectionChoice
{
    public ConnectionChoice(string description)
    {
        Kubeconfig = new Option<string?>(ProxyArguments.Kubeconfig) { Description = description, HelpName = "FILE" };
        Context = new Option<string?>(ProxyArguments.Context) { Description = "Context of the kubeconfig. Default: its current one.", HelpName = "NAME" };
        InCluster = new Option<bool>(ProxyArguments.InCluster) { Description = "Use the Kubernetes cluster this process runs in, as its pod's service account." };
    }

    public Option<string?> Kubeconfig { get; }

    public Option<string?> Context { get; }

    public Option<bool> InCluster { get; }

    public void AddTo(Command command)
    {
        command.Options.Add(Kubeconfig);
        command.Options.Add(Context);
        command.Options.Add(InCluster);
        command.Validators.Add(result =>
        {
            if (result.GetValue(InCluster) && result.GetValueHereOrBefore(Kubeconfig) is not null)
            {
                result.AddError($"{ProxyArguments.InCluster} and {ProxyArguments.Kubeconfig} exclude each other");
            }
        });
    }

    /// <returns>Null when none was asked for.</returns>
    /// <exception cref="CommandException">It cannot be read.</exception>
    public KubernetesClientConfiguration? Load(ParseResult line)
    {
        if (line.GetValue(InCluster))
        {
            return KubernetesClientConfiguration.IsInCluster()
                ? KubernetesClientConfiguration.InClusterConfig()
                : throw new CommandException(ExitCodes.Unreachable, $"{ProxyArguments.InCluster}: this process does not run in a Kubernetes pod with a service account");
        }

        return line.GetValueHereOrBefore(Kubeconfig) is { } file
            ? KubeconfigChoice.Find(file, Environment.GetEnvironmentVariable, DataFolders.Default, DataFolders.Home).Load(line.GetValueHereOrBefore(Context))
            : null;
    }

    /// <summary>The same choice, for another process of ours; empty when none was made.</summary>
    public string[] Arguments(ParseResult line) =>
        line.GetValue(InCluster) ? [ProxyArguments.InCluster]
        : line.GetValueHereOrBefore(Kubeconfig) is not { } file ? []
        : [ProxyArguments.Kubeconfig, Path.GetFullPath(file), .. line.GetValueHereOrBefore(Context) is { } context ? [ProxyArguments.Context, context] : Array.Empty<string>()];
}
