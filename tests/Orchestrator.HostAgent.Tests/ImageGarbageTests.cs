using k8s;
using k8s.Models;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using Orchestrator.Api;
using Orchestrator.Api.DockerHosts;
using Orchestrator.Api.Replicas;
using Orchestrator.Api.WebApps;
using Orchestrator.HostAgent.Engines;
using Orchestrator.HostAgent.Images;
using Orchestrator.HostAgent.Tests.World;
using Orchestrator.Runtime;
using Orchestrator.Runtime.Clients;
using Orchestrator.Runtime.Informers;

namespace Orchestrator.HostAgent.Tests;

/// <summary>Unused images of real engines.</summary>
[Collection(BreakingHosts.Name)]
public sealed class ImageGarbageTests(WorldToBreak world)
{
    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    private LabHost Host => world.Lab.Hosts[2];

    [Fact]
    public async Task What_we_pulled_and_is_unused_goes_what_others_brought_use_or_history_names_stays()
    {
        var (unused, foreign, kept, used) = (Name("site:v2"), Name("site:v1"), Name("broken:v1"), Name("web:v2"));
        var stranger = $"stranger-{Guid.NewGuid():N}";
        await RemoveImagesAsync(unused, foreign, kept, used);
        await world.Lab.DockerAsync(Host, "pull", "--quiet", foreign);
        await KeepRevisionAsync(kept);

        var time = new FakeTimeProvider(TimeProvider.System.GetUtcNow());
        using var engine = await ConnectAsync();
        var pulled = new PulledImages(null);
        var puller = new ImagePuller(new PullSecrets(world.Kubernetes), pulled, NullLogger.Instance, time);
        foreach (var image in new[] { unused, foreign, kept, used })
        {
            await puller.PullAsync(engine, new Replica { Spec = new ReplicaSpec { Template = new ReplicaTemplate { Image = image } } }, Cancelled);
        }

        await world.Lab.DockerAsync(Host, "create", "--name", stranger, used);
        Assert.Equal(3, pulled.Snapshot().Count);
        time.Advance(TimeSpan.FromDays(8));
        var host = (await world.Hosts.GetAsync(new ObjectKey(null, Host.Name), Cancelled))!;
        var informers = new SharedInformers(world.Kubernetes, "test", NullLoggerFactory.Instance, time);
        using var referenced = new ReferencedImages(informers, new ResourceClient<V1ControllerRevision>(world.Kubernetes, "test"), time);
        var events = new RecordedEvents();
        var collector = new ImageCollector(() => host, pulled, puller, referenced, events, () => { }, new Random(1), NullLogger.Instance, time);

        await collector.CollectAsync(engine, Cancelled);

        var left = await world.Lab.DockerAsync(Host, "images", "--format", "{{.Repository}}:{{.Tag}}");
        Assert.DoesNotContain(unused, left, StringComparison.Ordinal);
        Assert.All([foreign, kept, used], image => Assert.Contains(image, left, StringComparison.Ordinal));
        Assert.Equal($"Removed image {unused}: unused for 8 days", events.AllText);
        await world.Lab.DockerAsync(Host, "rm", stranger);
        await RemoveImagesAsync(foreign, kept, used);
    }

    [Fact]
    public async Task The_host_remembers_which_images_the_agent_has_brought()
    {
        var image = Name("httpd:v2");
        await RemoveImagesAsync(image);

        var replica = await world.AddReplicaAsync(Host.Name, template => template.Image = image);

        var seen = await world.SeeHostAsync(Host.Name, host => host.Status?.PulledImages?.Any(one => one.Names.Contains(image)) == true);
        Assert.Equal(
            await world.Lab.DockerAsync(Host, "images", "--no-trunc", "--quiet", image),
            seen.Status!.PulledImages!.Single(one => one.Names.Contains(image)).Id);
        await world.RemoveAsync(replica);
        await RemoveImagesAsync(image);
    }

    private string Name(string image) => $"{world.Lab.Registry}/{image}";

    private async Task RemoveImagesAsync(params string[] images)
    {
        foreach (var image in images)
        {
            if (await world.Lab.DockerAsync(Host, "images", "--quiet", image) is { Length: > 0 })
            {
                await world.Lab.DockerAsync(Host, "rmi", "--force", image);
            }
        }
    }

    private Task KeepRevisionAsync(string image) => world.Kubernetes.AppsV1.CreateNamespacedControllerRevisionAsync(
        new V1ControllerRevision
        {
            Metadata = new V1ObjectMeta { Name = $"web-{Guid.NewGuid():N}", Labels = new Dictionary<string, string> { [Labels.App] = "web" } },
            Data = new RevisionData { Spec = new ReplicaTemplate { Image = image } },
            Revision = 1,
        },
        "default",
        cancellationToken: Cancelled);

    private Task<IEngine> ConnectAsync()
    {
        var host = new DockerHost { Metadata = new V1ObjectMeta { Name = "images" }, Spec = new DockerHostSpec { Endpoint = $"unix://{Host.Socket}" } };
        return new EngineConnector(world.Kubernetes, TimeProvider.System)
            .ConnectAsync(host, new EnginePipeline(host.Metadata.Name, TimeProvider.System), Cancelled);
    }
}
