using System.Diagnostics;
using System.Text.Json.Nodes;
using k8s;
using k8s.Models;
using Orchestrator.Api;
using Orchestrator.Api.WebApps;
using Orchestrator.EndToEnd.Tests.Installations;

namespace Orchestrator.Benchmarks.RollingOut;

/// <summary>An app of a real <c>orc serve</c> on the lab's hosts, updated while users visit it.</summary>
internal sealed class OurApp : IAsyncDisposable
{
    public const string HostName = "web.example.org";

    private const string App = "web";
    private const string Namespace = "default";

    private readonly Update _update;
    private readonly Installation _installation;
    private readonly Kubernetes _kubernetes;

    private OurApp(Update update, Installation installation)
    {
        (_update, _installation) = (update, installation);
        _kubernetes = new Kubernetes(KubernetesClientConfiguration.BuildConfigFromConfigFile(installation.Kubeconfig));
    }

    /// <summary>The proxy's.</summary>
    public Uri Url => new($"http://127.0.0.1:{_installation.ProxyPort}/");

    public static async Task<OurApp> StartAsync(Update update, string image)
    {
        var app = new OurApp(update, await Installation.StartAsync());
        try
        {
            await app.CreateAsync(image);
            return app;
        }
        catch
        {
            await app.DisposeAsync();
            throw;
        }
    }

    /// <summary>From the update's sending until no old container is left, all new ones are ready, and the app says so.</summary>
    public async Task<TimeSpan> RoundAsync(string image, CancellationToken cancellationToken)
    {
        var watch = Stopwatch.StartNew();
        var patch = new JsonObject { ["spec"] = new JsonObject { ["image"] = image } };
        await _kubernetes.CustomObjects.PatchNamespacedCustomObjectAsync<WebApp>(
            new V1Patch(patch.ToJsonString(), V1Patch.PatchType.MergePatch), ApiGroup.Name, ApiGroup.Version, Namespace, WebApp.Plural, App, cancellationToken: cancellationToken);
        await _update.UntilOverAsync($"{Labels.App}={App}", image, watch, cancellationToken);
        await Eventually.See(
            () => _kubernetes.CustomObjects.GetNamespacedCustomObjectAsync<WebApp>(
                ApiGroup.Name, ApiGroup.Version, Namespace, WebApp.Plural, App, cancellationToken),
            app => app.Status is { Rollout: null, FailedRollout: null } status && status.CurrentRevision == RevisionHash.Of(app.Spec),
            Update.Limit);
        return watch.Elapsed;
    }

    public async ValueTask DisposeAsync()
    {
        _kubernetes.Dispose();
        await _installation.DisposeAsync();
    }

    private async Task CreateAsync(string image)
    {
        var app = new WebApp
        {
            Metadata = new V1ObjectMeta { Name = App, NamespaceProperty = Namespace },
            Spec = new WebAppSpec
            {
                Image = image,
                Replicas = _update.Replicas,
                TerminationGracePeriodSeconds = 1,
                Strategy = new RolloutStrategy { Rolling = new RollingUpdateLimits { MaxSurge = _update.AtOnce, MaxUnavailable = 0 } },
                ReadinessProbe = new V1Probe { HttpGet = new V1HTTPGetAction { Path = "/healthz" } },
                Route = new Route { Hosts = [HostName] },
            },
        };
        await _kubernetes.CustomObjects.CreateNamespacedCustomObjectAsync<WebApp>(app, ApiGroup.Name, ApiGroup.Version, Namespace, WebApp.Plural);
        await _installation.SeeReady(App, _update.Replicas);
    }
}
