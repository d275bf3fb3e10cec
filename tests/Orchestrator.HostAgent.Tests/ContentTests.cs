using System.Text;
using Orchestrator.Api;
using Orchestrator.Api.Contents;
using Orchestrator.Api.Replicas;
using Orchestrator.HostAgent.Containers;
using Orchestrator.HostAgent.Tests.World;

namespace Orchestrator.HostAgent.Tests;

/// <summary>A revision's content on a real engine: variables and files of its replicas, and what becomes of the volumes.</summary>
[Collection(LabCollection.Name)]
public sealed class ContentTests(AgentWorld world)
{
    private LabHost Host => world.Lab.Hosts[1];

    [Fact]
    public async Task Content_arrives_as_variables_and_files_survives_the_engine_and_goes_with_the_replica()
    {
        var change = Referring("arrives");
        await world.KeepContentAsync(change, ContentOf("first"));
        var replica = await world.AddReadyReplicaAsync(Host.Name, change);

        Assert.Equal("first", await ExecAsync(replica, "sh", "-c", "echo $LEVEL"));
        Assert.Equal("first", await ExecAsync(replica, "cat", "/etc/web/conf.d/web.conf"));
        Assert.Equal("400 0:0", await ExecAsync(replica, "stat", "-c", "%a %u:%g", "/etc/web/conf.d/web.conf"));
        Assert.Equal("755 0:0", await ExecAsync(replica, "stat", "-c", "%a %u:%g", "/etc/web/conf.d"));
        Assert.Equal("644 0:0", await ExecAsync(replica, "stat", "-c", "%a %u:%g", "/etc/keys/key"));
        Assert.Contains("Read-only file system", await ExecAsync(replica, "sh", "-c", "echo x 2>&1 > /etc/keys/key || true"), StringComparison.Ordinal);
        Assert.DoesNotContain("first", await world.InspectAsync(replica, "{{json .Config.Labels}}"), StringComparison.Ordinal);
        Assert.Equal("", await FillersAsync());

        var started = replica.Status!.StartedAt;
        await Lab.DoAsync("stop-engine", Host);
        await Lab.DoAsync("start-engine", Host);
        replica = await world.SeeAsync(replica, seen => seen.Status is { Ready: true } status && status.StartedAt > started);
        Assert.Equal("first", await ExecAsync(replica, "cat", "/etc/web/conf.d/web.conf"));
        Assert.Equal("first", await ExecAsync(replica, "sh", "-c", "echo $LEVEL"));

        Assert.Equal(2, (await VolumesAsync(replica)).Length);
        await world.RemoveAsync(replica);
        Assert.Empty(await VolumesAsync(replica));
    }

    [Fact]
    public async Task A_user_that_is_not_root_reads_what_it_may_also_under_a_read_only_root()
    {
        var change = Referring("user");
        await world.KeepContentAsync(change, ContentOf("shared"));
        var replica = await world.AddReadyReplicaAsync(Host.Name, change);
        var volume = FileVolumes.NamesOf(replica)[1];

        Assert.Equal("shared", await world.Lab.DockerAsync(
            Host, "run", "--rm", "--read-only", "--user", "1234:1234", "--volume", $"{volume}:/etc/keys:ro", "--entrypoint", "cat", world.Lab.WebImage, "/etc/keys/key"));
        await world.RemoveAsync(replica);
    }

    [Fact]
    public async Task Without_its_content_a_replica_waits_and_what_an_agent_left_half_done_is_done()
    {
        var change = Referring("waits");
        var replica = await world.AddReplicaAsync(Host.Name, change);
        var waiting = await world.SeeAsync(replica, seen => seen.Status is { Phase: ReplicaPhases.BackOff });
        Assert.Equal(
            ("CreateContainerConfigError", $"Secret \"web-{replica.Spec.Revision}\", which has the content of its revision, is not there"),
            (waiting.Status!.Reason, waiting.Status.Message));

        // As kill -9 leaves it between making and filling: volumes with nothing in them, and the filler.
        var labels = FileVolumes.LabelsOf(replica, new() { Metadata = new() { Name = Host.Name } }, world.InstanceId);
        foreach (var volume in FileVolumes.NamesOf(replica))
        {
            await world.Lab.DockerAsync(Host, ["volume", "create", .. Flags(labels), volume]);
        }

        var filler = FileVolumes.FillerOf(replica, new() { Metadata = new() { Name = Host.Name } }, world.InstanceId);
        await world.Lab.DockerAsync(
            Host,
            [
                "create", "--name", filler.Name!, .. Flags(filler.Labels),
                .. filler.HostConfig!.Mounts!.SelectMany(mount => (string[])["--mount", $"type=volume,source={mount.Source},target={mount.Target},volume-nocopy"]),
                filler.Image, "x",
            ]);
        await world.StopAgentAsync();
        world.StartAgent();
        await world.KeepContentAsync(change, ContentOf("at last"));

        replica = await world.SeeAsync(replica, seen => seen.Status is { Ready: true });
        Assert.Equal("at last", await ExecAsync(replica, "cat", "/etc/web/conf.d/web.conf"));
        Assert.Equal("", await FillersAsync());
        await world.RemoveAsync(replica);
        Assert.Empty(await VolumesAsync(replica));
    }

    [Fact]
    public async Task What_is_left_of_replicas_that_are_gone_is_removed_and_what_is_somebody_elses_stays()
    {
        var change = Referring("left");
        await world.KeepContentAsync(change, ContentOf("kept"));
        var replica = await world.AddReadyReplicaAsync(Host.Name, change);
        var volume = $"orc-left-{Guid.NewGuid():N}";
        var mine = new Dictionary<string, string>
        {
            [Labels.Instance] = world.InstanceId,
            [Labels.Namespace] = "default",
            [Labels.Replica] = "web-gone",
            [Labels.Host] = Host.Name,
        };

        // As a crash would: an agent that looks between two of these commands removes what the first has made, and the second makes it anew without labels.
        await world.StopAgentAsync();
        await world.Lab.DockerAsync(Host, ["volume", "create", .. Flags(mine), "--label", $"{Labels.ReplicaUid}=gone", volume]);
        await world.Lab.DockerAsync(Host, ["create", "--name", "orc-left-filler", .. Flags(mine), "--label", $"{FileVolumes.FillerLabel}=gone", "--volume", $"{volume}:/v", world.Lab.WebImage, "x"]);
        await world.Lab.DockerAsync(Host, ["volume", "create", .. Flags(mine), "--label", $"{Labels.ReplicaUid}=gone", "--label", $"{Labels.Instance}=other", "orc-not-ours"]);
        await world.Lab.DockerAsync(Host, ["create", "--name", "orc-done-filler", .. Flags(mine), "--label", $"{Labels.Replica}={replica.Metadata.Name}",
            "--label", $"{FileVolumes.FillerLabel}={replica.Metadata.Uid}", world.Lab.WebImage, "x"]);
        world.StartAgent();

        await Eventually.True(async () => await FillersAsync() == "");

        // A volume that its container still holds is left for the next look, half a minute later.
        await Eventually.True(
            async () => await world.Lab.DockerAsync(Host, "volume", "ls", "--quiet", "--filter", $"name={volume}") == "", TimeSpan.FromSeconds(90));
        Assert.Equal("orc-not-ours", await world.Lab.DockerAsync(Host, "volume", "ls", "--quiet", "--filter", "name=orc-not-ours"));
        Assert.Equal("kept", await ExecAsync(replica, "cat", "/etc/keys/key"));
        await world.Lab.DockerAsync(Host, "volume", "rm", "orc-not-ours");
        await world.RemoveAsync(replica);
    }

    /// <param name="test">Makes the revision the test's own.</param>
    private static Action<ReplicaTemplate> Referring(string test) => template =>
    {
        template.ContentHash = test;
        template.Env = [new() { Name = "LEVEL", ValueFrom = new() { ConfigMapKeyRef = new() { Name = "settings", Key = "level" } } }];
        template.Files =
        [
            new() { MountPath = "/etc/web", ConfigMap = new() { Name = "files", Items = [new() { Key = "web", Path = "conf.d/web.conf", Mode = 256 }] } },
            new() { MountPath = "/etc/keys", Secret = new() { Name = "keys" } },
        ];
    };

    private static RevisionContent ContentOf(string text) => new()
    {
        Environment = new Dictionary<string, string> { ["LEVEL"] = text },
        Files = [new(0, "conf.d/web.conf", 256, Encoding.UTF8.GetBytes(text)), new(1, "key", FileMount.StandardMode, Encoding.UTF8.GetBytes(text))],
    };

    private static IEnumerable<string> Flags(IEnumerable<KeyValuePair<string, string>> labels) =>
        labels.SelectMany(label => (string[])["--label", $"{label.Key}={label.Value}"]);

    /// <summary>As root: the image's own user may not read what is for root alone.</summary>
    private Task<string> ExecAsync(Replica replica, params string[] command) =>
        world.Lab.DockerAsync(world.HostOf(replica), ["exec", "--user", "0", AgentWorld.ContainerOf(replica), .. command]);

    private Task<string> FillersAsync() => world.Lab.DockerAsync(Host, "ps", "--all", "--quiet", "--filter", $"label={FileVolumes.FillerLabel}");

    private async Task<string[]> VolumesAsync(Replica replica) =>
        (await world.Lab.DockerAsync(Host, "volume", "ls", "--quiet", "--filter", $"label={Labels.ReplicaUid}={replica.Metadata.Uid}")).Split('\n', StringSplitOptions.RemoveEmptyEntries);
}
