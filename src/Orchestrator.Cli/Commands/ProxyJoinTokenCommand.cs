using System.CommandLine;
using System.Net;
using Orchestrator.ApiServer.Auth;
using Orchestrator.Cli.Connection;
using Orchestrator.Cli.Output;
using Orchestrator.Cli.Serving;

namespace Orchestrator.Cli.Commands;

/// <summary>Lets a proxy on another machine in.</summary>
internal sealed class ProxyJoinTokenCommand : Command, IHasExamples
{
    private static readonly TypedDuration Shortest = TypedDuration.Parse("1h")!.Value;

    private readonly Option<string> _dataFolder = new(ProxyArguments.DataFolder) { Description = "The server's data folder, on this machine.", HelpName = "FOLDER", DefaultValueFactory = _ => DataFolders.Default };
    private readonly Option<string?> _server = new("--server") { Description = "Where the proxy will reach the API server, such as https://10.0.0.1:6443. Default: where the server listens.", HelpName = "URL" };
    private readonly Option<TypedDuration> _validFor = CommonOptions.Duration("--valid-for", "How long the proxy's certificate is good. After that it serves what it knew last.", TypedDuration.Parse("8760h")!.Value);

    public ProxyJoinTokenCommand()
        : base("join-token", "Print a token for a proxy on another machine: a certificate of its own that may read what it routes to, and no more.")
    {
        Options.Add(_dataFolder);
        Options.Add(_server);
        Options.Add(_validFor);
        SetAction(Run);
    }

    public IReadOnlyList<string> Examples =>
        ["orc proxy join-token --server https://10.0.0.1:6443", "orc proxy join-token --server https://10.0.0.1:6443 | ssh edge-1 orc proxy --join -"];

    private int Run(ParseResult line)
    {
        var (folder, lifetime) = (Path.GetFullPath(line.GetValue(_dataFolder)!), line.GetValue(_validFor));
        if (lifetime.Span < Shortest.Span)
        {
            throw new CommandException(ExitCodes.Usage, $"--valid-for: {lifetime} is too short: at least {Shortest}");
        }

        var server = line.GetValue(_server) is { } given ? Parse(given) : ListeningAt(folder);
        try
        {
            line.InvocationConfiguration.Output.WriteLine(JoinToken.Write(ProxyInvitation.Write(folder, server, lifetime.Span, TimeProvider.System)));
            return ExitCodes.Done;
        }
        catch (InvalidOperationException refused)
        {
            throw new CommandException(ExitCodes.Failed, refused.Message, refused);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            throw new CommandException(ExitCodes.Failed, $"the server's keys cannot be read: {failure.Message}", failure);
        }
    }

    private static Uri Parse(string text) =>
        Uri.TryCreate(text, UriKind.Absolute, out var url) && url is { Scheme: "https", PathAndQuery: "/", UserInfo: "" }
            ? url
            : throw new CommandException(ExitCodes.Usage, $"--server: {text} is no address of an API server, such as https://10.0.0.1:6443");

    /// <summary>As the server tells its own admin. One that only this machine reaches is of no use elsewhere.</summary>
    private static Uri ListeningAt(string folder)
    {
        var file = Path.Combine(folder, KubeconfigChoice.AdminFileName);
        if (!File.Exists(file))
        {
            throw new CommandException(ExitCodes.Failed, $"{folder} is no data folder of an `orc serve`: run this on the server's machine, and name its folder with {ProxyArguments.DataFolder}");
        }

        var server = new Uri(KubeconfigFile.Read(file).Clusters.First().ClusterEndpoint.Server);
        return IPAddress.TryParse(server.Host.Trim('[', ']'), out var address) && IPAddress.IsLoopback(address)
            ? throw new CommandException(
                ExitCodes.Usage,
                $"--server: the API server tells {server.GetLeftPart(UriPartial.Authority)}, which no other machine reaches: start it with `orc serve --address ADDRESS`, and name that address here")
            : server;
    }
}
