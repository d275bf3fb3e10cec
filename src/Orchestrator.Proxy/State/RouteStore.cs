using System.Text.Json;
using System.Text.Json.Serialization;
using Microsoft.Extensions.Logging;
using Orchestrator.Api.WebApps;
using Orchestrator.Proxy.Routing;
using Orchestrator.Runtime;

namespace Orchestrator.Proxy.State;

/// <summary>
/// The last known routes on disk, so that a proxy that starts while the API server is away serves at once. Written aside, flushed
/// and renamed: whenever the machine stops, the file is an old one or a new one, whole.
/// </summary>
internal sealed partial class RouteStore(string folder, ILogger<RouteStore> logger)
{
    /// <summary>Raised when the format changes in a way that an older reader would misread.</summary>
    private const int Version = 3;

    /// <summary>Of a file without apps for TCP: an older proxy, which would take their ports for HTTP, reads it.</summary>
    private const int HttpVersion = 2;

    /// <summary>Of a file that says nothing of <see cref="RouteRules"/>: an older proxy, which would take them for routes like any, reads it.</summary>
    private const int PlainVersion = 1;

    public string Path { get; } = System.IO.Path.Combine(folder, "routes.json");

    /// <returns>None when there is no file, or none that can be read: it is set aside then, for somebody to look at.</returns>
    public IReadOnlyCollection<AppRoute> Load()
    {
        try
        {
            using var file = File.OpenRead(Path);
            var stored = JsonSerializer.Deserialize(file, StoreJson.Default.StoredRoutes) ?? throw new JsonException("the file says null");
            if (stored.Version is not (>= PlainVersion and <= Version))
            {
                throw new JsonException($"it is of version {stored.Version}, this proxy reads versions {PlainVersion} to {Version}");
            }

            if (stored.Apps.Any(app => app is null || !app.Claims.All(IsUsable) || !app.Endpoints.All(IsUsable) || !IsUsable(app.Split)
                || (app.Route is { } route && RouteRules.Of(route) is { IsUsable: false })
                || (app.Route is { IsTcp: true } && app.Claims.Any(static claim => claim.Port is null))))
            {
                throw new JsonException("it has entries that are empty, no address or no percentage");
            }

            return [.. stored.Apps.DistinctBy(app => (app.Namespace, app.Name)).Select(ToRoute)];
        }
        catch (Exception missing) when (missing is FileNotFoundException or DirectoryNotFoundException)
        {
            return [];
        }
        catch (Exception unreadable) when (unreadable is JsonException or IOException or UnauthorizedAccessException)
        {
            Log.Unreadable(logger, Path, unreadable.Message);
            SetAside();
            return [];
        }
    }

    /// <exception cref="IOException">The disk is full, or the like; the file is as it was.</exception>
    /// <exception cref="UnauthorizedAccessException">The folder may not be written.</exception>
    public void Save(RouteTable table)
    {
        var plain = table.Apps.All(static app => app.Policy.Rules is null && !app.Claims.Any(static claim => claim.Exact));
        var http = table.Apps.All(static app => !app.Policy.Route.IsTcp);
        var stored = new StoredRoutes(http && plain ? PlainVersion : http ? HttpVersion : Version, [.. table.Apps.Select(ToStored)]);
        Directory.CreateDirectory(folder);
        var aside = Path + ".new";
        using (var file = new FileStream(aside, FileMode.Create, FileAccess.Write, FileShare.None))
        {
            JsonSerializer.Serialize(file, stored, StoreJson.Default.StoredRoutes);
            file.Flush(flushToDisk: true);
        }

        File.Move(aside, Path, overwrite: true);
    }

    private void SetAside()
    {
        try
        {
            File.Move(Path, Path + ".bad", overwrite: true);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            // The next save replaces it, or says why it cannot.
            Log.NotSetAside(logger, Path, failure.Message);
        }
    }

    // A file that parses may still have been written by somebody else.
    private static bool IsUsable(StoredEndpoint? endpoint) =>
        endpoint is { Uid.Length: > 0, Port: > 0 and <= ushort.MaxValue } && Uri.CheckHostName(endpoint.Address) != UriHostNameType.Unknown;

    private static bool IsUsable(StoredClaim? claim) => claim is { Path: ['/', ..], Port: null or (> 0 and <= ushort.MaxValue) };

    private static bool IsUsable(TrafficSplit? split) => split is null or { Stable.Length: > 0, OthersPercent: >= 0 and <= 100 };

    private static StoredApp ToStored(AppState app)
    {
        var shared = app.Shared;
        return new(
            app.Key.Namespace ?? "",
            app.Key.Name,
            [.. app.Claims.Select(claim => new StoredClaim(claim.Path, claim.Host, claim.Port, claim.Exact ? true : null, claim.Match))],
            [.. shared.All.Select(endpoint => endpoint.Id).Select(id => new StoredEndpoint(id.Uid, id.Address, id.Port, id.Revision, id.Zone))],
            app.Policy.Route,
            shared.Split,
            app.Uid);
    }

    private static AppRoute ToRoute(StoredApp app) => new(
        new ObjectKey(app.Namespace, app.Name),
        app.Route ?? new Route(),
        [.. app.Claims.Select(claim => new RouteClaim(claim.Port, claim.Host, claim.Path, claim.Exact ?? false, claim.Match, app.Route is { IsTcp: true }))],
        [.. app.Endpoints.Select(endpoint => new EndpointId(endpoint.Uid, endpoint.Address, endpoint.Port, endpoint.Revision, endpoint.Zone)).Distinct()],
        new Traffic(app.Split, Canary: null),
        app.Uid ?? "");

    internal sealed record StoredRoutes(int Version, IReadOnlyList<StoredApp> Apps);

    internal sealed record StoredApp(
        string Namespace,
        string Name,
        IReadOnlyList<StoredClaim> Claims,
        IReadOnlyList<StoredEndpoint> Endpoints,
        Route? Route = null,
        TrafficSplit? Split = null,
        string? Uid = null);

    internal sealed record StoredClaim(string Path, string? Host = null, int? Port = null, bool? Exact = null, string? Match = null);

    internal sealed record StoredEndpoint(string Uid, string Address, int Port, string? Revision = null, string? Zone = null);

    [JsonSourceGenerationOptions(
        PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        RespectNullableAnnotations = true,
        RespectRequiredConstructorParameters = true)]
    [JsonSerializable(typeof(StoredRoutes))]
    private sealed partial class StoreJson : JsonSerializerContext;

    private static partial class Log
    {
        [LoggerMessage(Level = LogLevel.Warning, Message = "The stored routes in {Path} cannot be used; starting without: {Reason}")]
        public static partial void Unreadable(ILogger logger, string path, string reason);

        [LoggerMessage(Level = LogLevel.Warning, Message = "The stored routes in {Path} could not be set aside: {Reason}")]
        public static partial void NotSetAside(ILogger logger, string path, string reason);
    }
}
