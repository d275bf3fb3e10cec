using System.CommandLine;
using System.Net;
using System.Net.Sockets;
using k8s;
using Microsoft.Extensions.Logging;
using Orchestrator.Cli.Connection;
using Orchestrator.Cli.Logging;
using Orchestrator.Cli.Output;
using Orchestrator.Cli.Serving;
using Orchestrator.Proxy;

namespace Orchestrator.Cli.Commands;

/// <summary>Runs a proxy. <c>orc serve</c> starts one by itself; more, on other machines, make more entrances.</summary>
internal sealed partial class ProxyCommand : Command, IHandlesSignals, IHasExamples
{
    private const string KubeconfigFile = "proxy.kubeconfig";

    /// <summary>A predecessor that stops lets its requests finish; ours are served meanwhile.</summary>
    private static readonly TimeSpan TakeOverTimeout = TimeSpan.FromMinutes(2);

    /// <summary>Outlasts a look at the lock by <c>orc serve</c>, which takes it for a moment.</summary>
    private static readonly TimeSpan LockTimeout = TimeSpan.FromSeconds(1);

    private readonly ConnectionChoice _connection = new(
        "Which API server. Default: the data folder's proxy.kubeconfig, then $KUBECONFIG, the local server's admin.kubeconfig, ~/.kube/config.");

    private readonly Option<string> _dataFolder = new(ProxyArguments.DataFolder) { Description = "Where the last known routes are kept.", HelpName = "FOLDER", DefaultValueFactory = _ => DataFolders.Default };
    private readonly Option<ListenAddress> _listen = Endpoints.Option(ProxyArguments.Listen, "Where requests come in.", $"[::]:{ProxyOptions.DefaultPort}", optional: false);
    private readonly Option<ListenAddress> _tlsListen = Endpoints.Option(ProxyArguments.TlsListen, "Where requests come in by TLS.", Endpoints.None, optional: true);
    private readonly Option<int?> _httpsPort = Endpoints.HttpsPort(ProxyArguments.HttpsPort, ProxyArguments.TlsListen);
    private readonly Option<ListenAddress> _admin = Endpoints.Option(ProxyArguments.AdminListen, "Where /metrics, /healthz, /readyz and /routes are.", $"127.0.0.1:{ProxyOptions.DefaultAdminPort}", optional: true);
    private readonly Option<TypedDuration> _drain = CommonOptions.Timeout(ProxyArguments.DrainTimeout, "How long requests in flight get when it stops.", "30s");
    private readonly Option<string?> _accessLog = new(ProxyArguments.AccessLog) { Description = "A file that gets a line for each request; - is standard output. Default: none.", HelpName = "FILE" };
    private readonly Option<string?> _logFile = new(ProxyArguments.LogFile) { Description = "Log to this file, kept below 40 MB with its predecessors. Default: standard error.", HelpName = "FILE" };
    private readonly TrafficOptions _traffic = new("--");
    private readonly Option<string?> _join = new(ProxyArguments.Join) { Description = "A token of `orc proxy join-token`, - reads it from standard input: kept in the data folder, so it is needed once.", HelpName = "TOKEN" };
    private readonly Option<bool> _takeOver = new(ProxyArguments.TakeOver) { Description = "Take the place of the proxy that runs with this data folder, without a moment in which nobody listens." };
    private readonly LogOptions _log = new();

    public ProxyCommand()
        : base(ProxyArguments.Command, "Run a proxy: takes requests and passes them to ready replicas.")
    {
        _connection.AddTo(this);
        Options.Add(_dataFolder);
        Options.Add(_listen);
        Options.Add(_tlsListen);
        Options.Add(_httpsPort);
        Options.Add(_admin);
        Options.Add(_drain);
        Options.Add(_accessLog);
        _traffic.AddTo(this);
        Options.Add(_logFile);
        Options.Add(_join);
        Options.Add(_takeOver);
        Subcommands.Add(new ProxyJoinTokenCommand());
        _log.AddTo(this);
        SetAction((line, _) => RunAsync(line));
    }

    public IReadOnlyList<string> Examples =>
    [
        "orc proxy --kubeconfig proxy.kubeconfig --listen :80 --tls-listen :443",
        "orc proxy --join - --listen :80 < token",
        "orc proxy --listen :80 --trusted-proxies 10.0.0.0/8",
        "orc proxy --take-over",
    ];

    private async Task<int> RunAsync(ParseResult line)
    {
        using var signals = new StopSignals();
        var file = line.GetValue(_logFile) is { } path ? new LogFile(path) : null;
        file?.Open();
        using var loggers = _log.Create(line, file);
        var logger = loggers.CreateLogger<ProxyCommand>();
        var sockets = InheritedSockets.Take();
        Refuse(line, _listen, sockets.Http);
        Refuse(line, _tlsListen, sockets.Https);
        Refuse(line, _admin, sockets.Admin);
        var dataFolder = Path.GetFullPath(line.GetValue(_dataFolder)!);
        var folder = new ProxyFolder(dataFolder);
        folder.Create();
        if (line.GetValue(_join) is { } token)
        {
            Join(token == "-" ? ReadInput(line) : token, dataFolder);
        }

        using var kubernetes = new Kubernetes(Configuration(line, dataFolder));
        var predecessor = line.GetValue(_takeOver) && folder.Read()?.Process is { } running && running.IsAlive() ? running : null;
        var held = predecessor is null ? await LockAsync(folder, LockTimeout, signals.Stop) : null;
        try
        {
            await using var proxy = await StartAsync(line, folder, sockets, predecessor is not null, kubernetes, loggers, signals.Stop);
            folder.Write(new ProxyRecord(
                ProcessIdentity.Of(Environment.ProcessId)!, ProductVersion.Text, proxy.AdminAddress?.ToString(), ArgumentsOf(Environment.GetCommandLineArgs())));
            Log.Listening(logger, proxy.Address, proxy.TlsAddress, proxy.AdminAddress);
            if (predecessor is not null)
            {
                Log.TakenOver(logger, predecessor.Pid);
                _ = predecessor.IsAlive() ? Native.Kill(predecessor.Pid, Native.Sigterm) : 0;
                held = await LockAsync(folder, TakeOverTimeout, signals.Stop);
                proxy.EndTakeOver();
            }

            ServiceManager.Tell(ServiceManager.Ready);

            // Until it is told to stop.
            await IdleMemory.OfThisProcess(TimeProvider.System, () => proxy.RequestsInFlight > 0).RunAsync(signals.Stop);
            Log.Stopping(logger);
            ServiceManager.Tell(ServiceManager.Stopping);
            await proxy.StopAsync(signals.Hurry);
            return ExitCodes.Done;
        }
        catch (OperationCanceledException) when (signals.Stop.IsCancellationRequested)
        {
            return ExitCodes.Done;
        }
        finally
        {
            held?.Dispose();
        }
    }

    private KubernetesClientConfiguration Configuration(ParseResult line, string dataFolder)
    {
        if (_connection.Load(line) is { } chosen)
        {
            return chosen;
        }

        var own = Path.Combine(dataFolder, KubeconfigFile);
        return KubeconfigChoice
            .Find(File.Exists(own) ? own : null, Environment.GetEnvironmentVariable, DataFolders.Default, DataFolders.Home)
            .Load(line.GetValueHereOrBefore(_connection.Context));
    }

    /// <summary>From here on the data folder has what it needs to be let in.</summary>
    private static void Join(string token, string dataFolder)
    {
        var (file, kubeconfig) = (Path.Combine(dataFolder, KubeconfigFile), JoinToken.Read(token));
        var aside = file + ".new";
        File.Delete(aside);
        using (var made = new FileStream(aside, new FileStreamOptions
        {
            Mode = FileMode.CreateNew, Access = FileAccess.Write, UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite,
        }))
        {
            made.Write(System.Text.Encoding.UTF8.GetBytes(kubeconfig));
            made.Flush(flushToDisk: true);
        }

        File.Move(aside, file, overwrite: true);
    }

    private static string ReadInput(ParseResult line)
    {
        using var input = new StreamReader(((Invocation)line.InvocationConfiguration).Terminal.OpenInput());
        return input.ReadToEnd();
    }

    private async Task<ProxyServer> StartAsync(
        ParseResult line, ProxyFolder folder, InheritedSockets sockets, bool takeOver, Kubernetes kubernetes, ILoggerFactory loggers, CancellationToken cancellationToken)
    {
        var listen = AddressOf(sockets.Http) ?? line.GetValue(_listen).Endpoint!;
        var options = _traffic.Apply(line, new ProxyOptions
        {
            StateFolder = folder.StateFolder,
            Address = listen.Address,
            Port = listen.Port,
            Tls = AddressOf(sockets.Https) ?? line.GetValue(_tlsListen).Endpoint,
            HttpsPort = line.GetValue(_httpsPort),
            Admin = AddressOf(sockets.Admin) ?? line.GetValue(_admin).Endpoint,
            Sockets = sockets.All.ToDictionary(socket => AddressOf(socket)!),
            DrainTimeout = line.GetValue(_drain).Span,
            AccessLog = line.GetValue(_accessLog),
            TakeOver = takeOver,
        });
        try
        {
            return await ProxyServer.StartAsync(options, kubernetes, loggers, TimeProvider.System, cancellationToken);
        }
        catch (IOException failure)
        {
            // What has a socket's error is about an address, the rest about a file.
            var error = (failure.GetBaseException() as SocketException)?.SocketErrorCode;
            var hint = error is null ? "" : $"; choose another address with {ProxyArguments.Listen}, {ProxyArguments.TlsListen} or {ProxyArguments.AdminListen}";
            throw new CommandException(
                error is SocketError.AddressAlreadyInUse ? ExitCodes.InUse : ExitCodes.Failed, $"the proxy cannot start: {failure.Message}{hint}", failure);
        }
    }

    /// <exception cref="CommandException">Another proxy keeps it.</exception>
    private static async Task<IDisposable> LockAsync(ProxyFolder folder, TimeSpan timeout, CancellationToken cancellationToken)
    {
        var started = TimeProvider.System.GetTimestamp();
        while (true)
        {
            if (folder.TryLock() is { } held)
            {
                return held;
            }

            if (TimeProvider.System.GetElapsedTime(started) > timeout)
            {
                var who = folder.Read()?.Process.Pid is { } pid ? $" (process {pid})" : "";
                throw new CommandException(
                    ExitCodes.InUse, $"another proxy runs with {folder.StateFolder}{who}: stop it, choose another --data-folder, or use --take-over");
            }

            await Task.Delay(TimeSpan.FromMilliseconds(50), TimeProvider.System, cancellationToken);
        }
    }

    /// <exception cref="CommandException">Where to listen is said twice.</exception>
    private static void Refuse(ParseResult line, Option option, Socket? handedOver)
    {
        if (handedOver is not null && line.GetResult(option) is { Implicit: false })
        {
            throw CommandException.Usage($"{option.Name} goes not with a socket that is handed over for the same, which listens on {handedOver.LocalEndPoint}");
        }
    }

    private static IPEndPoint? AddressOf(Socket? socket) => (IPEndPoint?)socket?.LocalEndPoint;

    /// <summary>What the supervisor compares: the words after <c>proxy</c>, without the one that only says how to begin.</summary>
    private static string[] ArgumentsOf(string[] words) =>
        [.. words.SkipWhile(word => word != ProxyArguments.Command).Skip(1).Where(word => word != ProxyArguments.TakeOver)];

    private static partial class Log
    {
        [LoggerMessage(Level = LogLevel.Information, Message = "Proxy listens on {Address}; for TLS on {Tls}; admin on {Admin}")]
        public static partial void Listening(ILogger logger, IPEndPoint address, IPEndPoint? tls, IPEndPoint? admin);

        [LoggerMessage(Level = LogLevel.Information, Message = "Proxy takes the place of process {Pid}, which finishes what it has in flight")]
        public static partial void TakenOver(ILogger logger, int pid);

        [LoggerMessage(Level = LogLevel.Information, Message = "Proxy stops: requests in flight are finished")]
        public static partial void Stopping(ILogger logger);
    }
}
