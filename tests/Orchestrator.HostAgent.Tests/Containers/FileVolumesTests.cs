using System.Formats.Tar;
using System.Text;
using k8s;
using k8s.Models;
using Microsoft.Extensions.Logging.Abstractions;
using Orchestrator.Api;
using Orchestrator.Api.Contents;
using Orchestrator.Api.DockerHosts;
using Orchestrator.Api.Replicas;
using Orchestrator.HostAgent.Containers;
using Orchestrator.HostAgent.Hooks;
using Orchestrator.HostAgent.Engines;
using Orchestrator.HostAgent.Tests.World;

namespace Orchestrator.HostAgent.Tests.Containers;

/// <summary>Files of a replica on an engine that can be held at any moment.</summary>
public sealed class FileVolumesTests : IDisposable
{
    private readonly Kubernetes _kubernetes = new(new KubernetesClientConfiguration { Host = "http://stub.invalid" }, new OneSecret());

    private static readonly DockerHost Host = new() { Metadata = new() { Name = "h1" }, Spec = new() { Endpoint = "tcp://127.0.0.1:2376" } };

    private static RevisionContent Content => new()
    {
        Environment = new Dictionary<string, string> { ["A"] = "content", ["B"] = "content", ["PORT"] = "1" },
        Files = [new(0, "conf.d/x/web.conf", 0x100, Encoding.UTF8.GetBytes("first")), new(0, "conf.d/y", FileMount.StandardMode, []), new(1, "key", 0x1ff, [0, 255])],
    };

    [Fact]
    public void An_archive_has_every_file_with_its_mode_owned_by_root_and_folders_that_all_may_enter()
    {
        using var reader = new TarReader(new MemoryStream(FileVolumes.ArchiveOf(Content)));
        var lines = new List<string>();
        while (reader.GetNextEntry(copyData: true) is { } entry)
        {
            using var bytes = new MemoryStream();
            entry.DataStream?.CopyTo(bytes);
            lines.Add($"{Convert.ToString((int)entry.Mode, 8)} {entry.Uid}:{entry.Gid} {entry.Name} {Convert.ToHexString(bytes.ToArray())}".TrimEnd());
        }

        Assert.Equal(
            [
                "755 0:0 orchestrator-files/0/conf.d/",
                "755 0:0 orchestrator-files/0/conf.d/x/",
                "400 0:0 orchestrator-files/0/conf.d/x/web.conf 6669727374",
                "644 0:0 orchestrator-files/0/conf.d/y",
                "777 0:0 orchestrator-files/1/key 00FF",
            ],
            lines);
    }

    [Fact]
    public void A_container_has_its_variables_and_its_volumes_read_only_and_none_of_the_content_in_its_labels()
    {
        var replica = ReplicaOf("0a1b2c3d-4e5f");
        replica.Spec.Template.Env = [new() { Name = "B", Value = "literal" }, new() { Name = "A", ValueFrom = new() { SecretKeyRef = new() { Name = "s", Key = "k" } } }];
        var body = ContainerBody.Of(replica, Host, "instance", content: Content);

        Assert.Equal(["A=content", "B=literal", "ORC_APP=web", "ORC_HOST=h1", "ORC_REPLICA=web-1", "PORT=8080"], body.Env);
        Assert.Equal(
            ["orc-default-web-1-0a1b2c3d-0 /etc/web True True", "orc-default-web-1-0a1b2c3d-1 /etc/keys True True"],
            body.HostConfig!.Mounts!.Select(mount => $"{mount.Source} {mount.Target} {mount.ReadOnly} {mount.VolumeOptions!.NoCopy}"));
        Assert.DoesNotContain("content", string.Concat(body.Labels.Values), StringComparison.Ordinal);
        Assert.Equal(
            body.HostConfig!.Mounts!.Select(mount => mount.Source),
            FileVolumes.NamesOf(Snapshots.Of(ContainerState.Running) with { Labels = body.Labels.AsReadOnly(), ReplicaUid = replica.Metadata.Uid }));
    }

    [Fact]
    public void A_container_without_files_has_neither_volumes_nor_their_label()
    {
        var replica = ReplicaOf("uid");
        replica.Spec.Template.Files = null;
        var body = ContainerBody.Of(replica, Host, "instance");

        Assert.Empty(body.HostConfig!.Mounts!);
        Assert.DoesNotContain(FileVolumes.CountLabel, body.Labels.Keys);
        Assert.Empty(FileVolumes.NamesOf(Snapshots.Of(ContainerState.Running)));
    }

    [Fact]
    public async Task Files_are_laid_down_before_the_container_is_made_and_the_filler_goes_after_it()
    {
        using var engine = new SimulatedEngine();
        using var operation = new Operation(ContainerStep.Create, TestContext.Current.CancellationToken);
        using var work = Work();
        await work.CreateAsync(engine, ReplicaOf("uid"), Host, operation);

        Assert.Equal(["create volume", "create volume", "create", "extract", "create", "remove", "start", "inspect"], engine.Calls);
    }

    [Fact]
    public async Task A_container_whose_files_could_not_be_laid_down_is_not_made()
    {
        using var engine = new SimulatedEngine { OnExtract = _ => throw new EngineException(EngineFailure.Failed, "no space left on device") };
        using var operation = new Operation(ContainerStep.Create, TestContext.Current.CancellationToken);
        using var work = Work();
        var outcome = await work.CreateAsync(engine, ReplicaOf("uid"), Host, operation);

        Assert.Equal(("CreateContainerError", "no space left on device"), outcome.Failure);
        Assert.Equal(["create volume", "create volume", "create", "extract", "remove"], engine.Calls);
    }

    [Fact]
    public async Task A_volume_that_somebody_else_has_under_the_name_is_not_touched()
    {
        using var engine = new SimulatedEngine();
        engine.Volumes["orc-default-web-1-uid-0"] = new Dictionary<string, string>();
        using var operation = new Operation(ContainerStep.Create, TestContext.Current.CancellationToken);
        using var work = Work();
        var outcome = await work.CreateAsync(engine, ReplicaOf("uid"), Host, operation);

        Assert.Equal("NameConflict", outcome.Failure?.Reason);
        Assert.Equal(["create volume"], engine.Calls);
    }

    [Fact]
    public async Task The_volumes_go_with_the_container()
    {
        using var engine = new SimulatedEngine();
        using var work = Work();
        var labels = ContainerBody.Of(ReplicaOf("uid"), Host, "instance", content: Content).Labels.AsReadOnly();
        await work.StopAndRemoveAsync(engine, Snapshots.Of(ContainerState.Exited) with { Labels = labels, ReplicaUid = "uid" }, TimeSpan.Zero, default);

        Assert.Equal(["remove", "remove volume orc-default-web-1-uid-0", "remove volume orc-default-web-1-uid-1"], engine.Calls);
    }

    [Fact]
    public async Task Without_the_content_of_its_revision_nothing_is_made()
    {
        using var engine = new SimulatedEngine();
        using var operation = new Operation(ContainerStep.Create, TestContext.Current.CancellationToken);
        using var nowhere = new Kubernetes(new KubernetesClientConfiguration { Host = "https://127.0.0.1:1" });
        using var work = Work(nowhere);
        var outcome = await work.CreateAsync(engine, ReplicaOf("uid"), Host, operation);

        Assert.Equal(
            ("CreateContainerConfigError", "Secret \"web-r\", which has the content of its revision, cannot be read: the API server does not answer"),
            outcome.Failure);
        Assert.Empty(engine.Calls);
    }

    private ContainerWork Work(Kubernetes? kubernetes = null)
    {
        var events = new RecordedEvents();
        var hooks = new LifecycleHooks(http: null!, events, TimeProvider.System);
        return new("instance", puller: null!, new ContentReader(kubernetes ?? _kubernetes), hooks, () => { }, events, NullLogger.Instance);
    }

    public void Dispose() => _kubernetes.Dispose();

    private static Replica ReplicaOf(string uid) => new()
    {
        Metadata = new V1ObjectMeta { Name = "web-1", NamespaceProperty = "default", Uid = uid },
        Spec = new ReplicaSpec
        {
            AppName = "web",
            Revision = "r",
            HostName = "h1",
            HostPort = 20000,
            Template = new ReplicaTemplate
            {
                Image = "web:v1",
                Files = [new() { MountPath = "/etc/web", ConfigMap = new() { Name = "files" } }, new() { MountPath = "/etc/keys", Secret = new() { Name = "keys" } }],
            },
        },
    };

    /// <summary>An API server that has the content, and nothing else.</summary>
    private sealed class OneSecret : DelegatingHandler
    {
        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            Assert.Equal("/api/v1/namespaces/default/secrets/web-r", request.RequestUri!.AbsolutePath);
            var secret = new V1Secret { Metadata = new() { Name = "web-r" }, Type = RevisionContent.SecretType, Data = Content.Encode() };
            return Task.FromResult(new HttpResponseMessage { RequestMessage = request, Content = new StringContent(KubernetesJson.Serialize(secret), Encoding.UTF8, "application/json") });
        }
    }
}
