using System.CommandLine;
using System.Globalization;
using System.Net;
using Orchestrator.Cli.Connection;
using Orchestrator.Cli.Logging;
using Orchestrator.Cli.Output;
using Orchestrator.Cli.Serving;
using Orchestrator.Proxy;

namespace Orchestrator.Cli.Commands;

/// <summary>Runs Orchestrator on this machine: API server, controllers, scheduler, host agents, and a proxy beside them.</summary>
internal sealed class ServeCommand : Command, IHandlesSignals, IHasExamples
{
    public const string Word = "serve";

    private readonly Option<string> _dataFolder = new(ProxyArguments.DataFolder)
    {
        Description = $"Where everything is kept: store, keys, kubeconfigs, the proxy's log and last routes. Default for root: {DataFolders.OfRoot}.",
        HelpName = "FOLDER",
        DefaultValueFactory = _ => DataFolders.Default,
    };

    private readonly Option<string> _address = new("--address") { Description = "Address the embedded API server listens on.", HelpName = "ADDRESS", DefaultValueFactory = _ => "127.0.0.1" };
    private readonly Option<int> _port = new("--port") { Description = "Port the embedded API server listens on; 0 takes any that is free.", HelpName = "PORT", DefaultValueFactory = _ => 6443 };
    private readonly ConnectionChoice _connection = new("Work on this API server, which has the CRDs, instead of an embedded one; of several such processes one leads.");
    private readonly Option<ListenAddress> _metrics = Endpoints.Option("--metrics-listen", "Where /metrics, /healthz and /readyz are.", "127.0.0.1:9180", optional: true);
    private readonly Option<bool> _noProxy = new("--no-proxy") { Description = "Start no proxy: others, started with `orc proxy`, take the requests." };
    private readonly Option<ListenAddress> _proxyListen = Endpoints.Option("--proxy-listen", "Where the proxy takes requests.", $"[::]:{ProxyOptions.DefaultPort}", optional: false);
    private readonly Option<ListenAddress> _proxyTlsListen = Endpoints.Option("--proxy-tls-listen", "Where the proxy takes requests by TLS.", Endpoints.None, optional: true);
    private readonly Option<int?> _proxyHttpsPort = Endpoints.HttpsPort("--proxy-https-port", "--proxy-tls-listen");
    private readonly Option<ListenAddress> _proxyAdmin = Endpoints.Option("--proxy-admin-listen", "Where the proxy's own /metrics, /healthz and /routes are.", $"127.0.0.1:{ProxyOptions.DefaultAdminPort}", optional: true);
    private readonly Option<TypedDuration> _drain = CommonOptions.Timeout("--proxy-drain-timeout", "How long requests in flight get when the proxy stops.", "30s");
    private readonly TrafficOptions _traffic = new("--proxy-");
    private readonly Option<string?> _accessLog = new("--proxy-access-log") { Description = "A file that gets a line for each request. Default: none.", HelpName = "FILE" };
    private readonly Option<bool> _noLocalHost = new("--no-local-host") { Description = $"Do not take the engine of this machine ({LocalEngine.Socket}) as a host when there is none yet." };
    private readonly Option<bool> _noRebalance = new("--no-rebalance") { Description = "Move no running replicas so that their apps lie evenly on the hosts, whatever placement.rebalance of the apps says." };
    private readonly AcmeAuthorityOptions _acme = new();
    private readonly LogOptions _log = new();

    public ServeCommand()
        : base(Word, "Run Orchestrator here: API server, controllers, scheduler, host agents and a proxy.")
    {
        Options.Add(_dataFolder);
        Options.Add(_address);
        Options.Add(_port);
        _connection.AddTo(this);
        Options.Add(_metrics);
        Options.Add(_noProxy);
        Options.Add(_proxyListen);
        Options.Add(_proxyTlsListen);
        Options.Add(_proxyHttpsPort);
        Options.Add(_proxyAdmin);
        Options.Add(_drain);
        Options.Add(_accessLog);
        _traffic.AddTo(this);
        Options.Add(_noLocalHost);
        Options.Add(_noRebalance);
        _acme.AddTo(this);
        _log.AddTo(this);
        SetAction((line, _) => RunAsync(line));
    }

    public IReadOnlyList<string> Examples =>
    [
        "orc serve",
        "orc serve --data-folder ~/orc --proxy-listen :80 --proxy-tls-listen :443",
        "orc serve --proxy-listen :80 --proxy-tls-listen :443 --acme-email you@example.org --acme-accept-terms",
        "orc serve --kubeconfig ~/.kube/config --no-proxy",
    ];

    private async Task<int> RunAsync(ParseResult line)
    {
        using var signals = new StopSignals();
        using var loggers = _log.Create(line, null);
        var dataFolder = Path.GetFullPath(line.GetValue(_dataFolder)!);
        var options = new ServeOptions
        {
            DataFolder = dataFolder,
            Cluster = _connection.Load(line),
            Api = ApiEndpoint(line),
            Metrics = line.GetValue(_metrics).Endpoint,
            TakeLocalEngine = !line.GetValue(_noLocalHost),
            Rebalance = !line.GetValue(_noRebalance),
            Acme = _acme.Read(line),
            ProxyListen = line.GetValue(_proxyListen).Endpoint!,
            ProxyTlsListen = line.GetValue(_proxyTlsListen).Endpoint,
            ProxyArguments = line.GetValue(_noProxy) ? null : kubeconfig => ProxyWords(line, dataFolder, kubeconfig),
            ProxyDrainTimeout = line.GetValue(_drain).Span,
            Banner = !_log.IsJson(line),
        };
        return await new Server(options, loggers, TimeProvider.System).RunAsync(signals.Stop, signals.Hurry);
    }

    private IPEndPoint ApiEndpoint(ParseResult line) =>
        !IPAddress.TryParse(line.GetValue(_address), out var address) ? throw CommandException.Usage($"--address: \"{line.GetValue(_address)}\" is no IP address")
        : line.GetValue(_port) is not (>= 0 and <= IPEndPoint.MaxPort) ? throw CommandException.Usage($"--port: a port is 0 to {IPEndPoint.MaxPort}")
        : new IPEndPoint(address, line.GetValue(_port));

    /// <param name="kubeconfig">Of the embedded server; null on a cluster.</param>
    private string[] ProxyWords(ParseResult line, string dataFolder, string? kubeconfig) =>
    [
        .. kubeconfig is null ? _connection.Arguments(line) : [ProxyArguments.Kubeconfig, kubeconfig],
        ProxyArguments.DataFolder, dataFolder,
        ProxyArguments.Listen, line.GetValue(_proxyListen).ToString(),
        .. line.GetValue(_proxyTlsListen) is { Endpoint: not null } tls ? [ProxyArguments.TlsListen, tls.ToString()] : Array.Empty<string>(),
        .. line.GetValue(_proxyHttpsPort) is { } port ? [ProxyArguments.HttpsPort, port.ToString(CultureInfo.InvariantCulture)] : Array.Empty<string>(),
        ProxyArguments.AdminListen, line.GetValue(_proxyAdmin).ToString(),
        ProxyArguments.DrainTimeout, $"{(long)line.GetValue(_drain).Span.TotalMilliseconds}ms",
        .. line.GetValue(_accessLog) is { } file ? [ProxyArguments.AccessLog, Path.GetFullPath(file)] : Array.Empty<string>(),
        .. _traffic.Words(line),
        ProxyArguments.LogFile, new ProxyFolder(dataFolder).LogFile,
        .. _log.Arguments(line),
    ];
}
