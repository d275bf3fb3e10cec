using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Https;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Orchestrator.ApiServer.Auth;
using Orchestrator.ApiServer.Housekeeping;
using Orchestrator.ApiServer.Objects;
using Orchestrator.ApiServer.Resources;
using Orchestrator.ApiServer.Rest;
using Orchestrator.ApiServer.Storage;
using Orchestrator.ApiServer.Watching;

namespace Orchestrator.ApiServer;

/// <summary>
/// A Kubernetes API server in this process, over a data folder of its own: the kinds of <c>/crds</c> and the few of Kubernetes' own that
/// they need (docs/design/apiserver.md).
/// </summary>
public sealed partial class EmbeddedApiServer : IAsyncDisposable
{
    /// <summary>How often certificates are looked at; they are renewed months before they expire.</summary>
    private static readonly TimeSpan RenewalPeriod = TimeSpan.FromHours(12);

    /// <summary>How long requests under way may take when the server stops.</summary>
    private static readonly TimeSpan StopTimeout = TimeSpan.FromSeconds(5);

    private readonly WebApplication _web;
    private readonly ObjectStore _store;
    private readonly Credentials _credentials;
    private readonly DataFolderLock _lock;
    private readonly CancellationTokenSource _stopping;
    private readonly Task _background;
    private bool _disposed;

    private EmbeddedApiServer(
        WebApplication web,
        ObjectStore store,
        Credentials credentials,
        DataFolderLock folderLock,
        CancellationTokenSource stopping,
        Uri address,
        Task background)
    {
        (_web, _store, _credentials, _lock, _stopping, Address, _background) =
            (web, store, credentials, folderLock, stopping, address, background);
    }

    /// <summary>Where clients on this machine reach it.</summary>
    public Uri Address { get; }

    /// <summary>Path of a kubeconfig that may do everything. Readable by its owner only.</summary>
    public string AdminKubeconfig => _credentials.Kubeconfig("admin");

    /// <summary>For the controllers, the scheduler and the host agent.</summary>
    public string ControllerKubeconfig => _credentials.Kubeconfig("controller");

    public string ProxyKubeconfig => _credentials.Kubeconfig("proxy");

    /// <summary>Completes when the server serves: what it needs is there, and every client finds the kinds established.</summary>
    /// <exception cref="DataFolderInUseException">Another process serves from this folder.</exception>
    /// <exception cref="StorageException">The store is damaged, or was made by a newer version.</exception>
    /// <exception cref="IOException">The address is in use, or the folder cannot be written.</exception>
    public static async Task<EmbeddedApiServer> StartAsync(
        ApiServerOptions options, ILoggerFactory loggerFactory, TimeProvider time, CancellationToken cancellationToken)
    {
        var folder = Path.GetFullPath(options.DataFolder);
        PrivateFile.CreateFolder(folder);
        var folderLock = DataFolderLock.Take(folder);
        Credentials? credentials = null;
        ObjectStore? store = null;
        WebApplication? web = null;
        var stopping = new CancellationTokenSource();
        try
        {
            // Keys and kinds are read side by side: the start is waited for.
            var reading = Task.Run(
                () =>
                {
                    var crds = CustomResource.ReadDefinitions();
                    return (Crds: crds, Registry: BuiltInResources.With(crds.Select(CustomResource.Parse)));
                },
                cancellationToken);
            credentials = new Credentials(folder, options.Address, time);
            var feed = new ChangeFeed();
            store = new ObjectStore(folder, feed.StartAt, feed.Publish, time, loggerFactory.CreateLogger<ObjectStore>());
            var (crds, registry) = await reading;
            var resources = new ServedResources(registry);
            var writer = new ObjectWriter(store, time);
            var housekeeper = new Housekeeper(store, resources, writer, feed, time, loggerFactory.CreateLogger<Housekeeper>());
            await new FirstObjects(store, resources, writer, time).EnsureAsync(crds, cancellationToken);

            var requests = new ApiRequests(
                store,
                registry,
                resources,
                new Authenticator(credentials, time),
                new ResourceRequests(
                    store, writer, new ListRequests(store, time), new WatchRequests(store, feed, time, stopping.Token), time),
                new DocumentRequests(registry),
                time,
                loggerFactory.CreateLogger<ApiRequests>());
            web = Build(options, credentials, requests, loggerFactory);
            await web.StartAsync(cancellationToken);
            var address = AddressOf(web, options.Address);
            credentials.WriteKubeconfigs(address);
            var background = Task.WhenAll(
                housekeeper.RunAsync(stopping.Token),
                RenewAsync(credentials, address, time, loggerFactory.CreateLogger<EmbeddedApiServer>(), stopping.Token));
            ApiServerMetrics.Watch(store);
            return new EmbeddedApiServer(web, store, credentials, folderLock, stopping, address, background);
        }
        catch
        {
            if (web is not null)
            {
                await web.DisposeAsync();
            }

            if (store is not null)
            {
                await store.DisposeAsync();
            }

            credentials?.Dispose();
            folderLock.Dispose();
            stopping.Dispose();
            throw;
        }
    }

    /// <summary>Ends watches, lets requests under way finish, and closes the store.</summary>
    public async ValueTask DisposeAsync()
    {
        if (_disposed)
        {
            return;
        }

        _disposed = true;
        await _stopping.CancelAsync();
        using (var limit = new CancellationTokenSource(StopTimeout))
        {
            await _web.StopAsync(limit.Token);
        }

        await _web.DisposeAsync();
        await _background;
        await _store.DisposeAsync();
        _credentials.Dispose();
        _lock.Dispose();
        _stopping.Dispose();
    }

    private static WebApplication Build(
        ApiServerOptions options, Credentials credentials, ApiRequests requests, ILoggerFactory loggerFactory)
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.Services.AddSingleton(loggerFactory);
        // The process' signals are its owner's to handle.
        builder.Services.AddSingleton<IHostLifetime, NoLifetime>();
        builder.WebHost.UseKestrelCore().UseKestrelHttpsConfiguration().ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            // Bodies are bounded where they are read, so that what is too large gets an answer.
            kestrel.Limits.MaxRequestBodySize = null;
            // A process' informers share one connection.
            kestrel.Limits.Http2.MaxStreamsPerConnection = 1000;
            // A client that is gone without a word is found out.
            kestrel.Limits.Http2.KeepAlivePingDelay = TimeSpan.FromSeconds(30);
            kestrel.Limits.Http2.KeepAlivePingTimeout = TimeSpan.FromSeconds(20);
            kestrel.Listen(options.Address, options.Port, listen =>
            {
                listen.Protocols = HttpProtocols.Http1AndHttp2;
                listen.UseHttps(https =>
                {
                    https.ServerCertificateSelector = (_, _) => credentials.Server;
                    https.ClientCertificateMode = ClientCertificateMode.AllowCertificate;
                    // Any certificate gets through the handshake; the Authenticator judges it, and says 401 in words.
                    https.AllowAnyClientCertificate();
                });
            });
        });
        var web = builder.Build();
        web.Run(requests.AnswerAsync);
        return web;
    }

    private static Uri AddressOf(WebApplication web, IPAddress bound)
    {
        var listening = web.Services.GetRequiredService<Microsoft.AspNetCore.Hosting.Server.IServer>()
            .Features.Get<IServerAddressesFeature>()!.Addresses.First();
        var port = new Uri(listening.Replace("[::]", "localhost", StringComparison.Ordinal)).Port;
        var address = IPAddress.Any.Equals(bound) || IPAddress.IPv6Any.Equals(bound) ? IPAddress.Loopback : bound;
        return new UriBuilder(Uri.UriSchemeHttps, address.ToString(), port).Uri;
    }

    private static async Task RenewAsync(
        Credentials credentials, Uri address, TimeProvider time, ILogger logger, CancellationToken cancellationToken)
    {
        using var timer = new PeriodicTimer(RenewalPeriod, time);
        while (!cancellationToken.IsCancellationRequested)
        {
            try
            {
                await timer.WaitForNextTickAsync(cancellationToken);
                credentials.Renew(address);
            }
            catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
            {
                return;
            }
            catch (Exception failure)
            {
                Log.NotRenewed(logger, failure);
            }
        }
    }

    private sealed class NoLifetime : IHostLifetime
    {
        public Task WaitForStartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    }

    private static partial class Log
    {
        [LoggerMessage(Level = LogLevel.Error, Message = "Certificates could not be renewed; it is tried again")]
        public static partial void NotRenewed(ILogger logger, Exception failure);
    }
}
