using k8s.Models;
using Orchestrator.Api.Contents;
using Orchestrator.Api.WebApps;

namespace Orchestrator.Api.Tests;

public sealed class RevisionHashTests
{
    [Fact]
    public void Equal_templates_have_equal_hashes() => Assert.Equal(RevisionHash.Of(Template()), RevisionHash.Of(Template()));

    [Fact]
    public void A_hash_is_the_same_in_every_later_version() =>
        Assert.Equal(GoldenHash, RevisionHash.Of(Template()));

    [Fact]
    public void Count_placement_and_route_are_no_part_of_a_revision()
    {
        var spec = new WebAppSpec
        {
            Image = "web:v1",
            Port = 8080,
            Env = [new EnvironmentVariable { Name = "A", Value = "1" }],
            Replicas = 7,
            Placement = new Placement { MaxReplicasPerHost = 2 },
            Route = new Route { Path = "/shop" },
        };

        Assert.Equal(RevisionHash.Of(Template()), RevisionHash.Of(spec));
    }

    [Fact]
    public void The_order_of_requests_and_limits_makes_no_other_revision()
    {
        var (one, other) = (Template(), Template());
        one.Resources = new() { Requests = InOrder("cpu", "memory"), Limits = InOrder("memory", "cpu") };
        other.Resources = new() { Requests = InOrder("memory", "cpu"), Limits = InOrder("cpu", "memory") };

        Assert.Equal(RevisionHash.Of(one), RevisionHash.Of(other));
        Assert.Equal(["memory", "cpu"], other.Resources.Requests.Keys);

        static Dictionary<string, ResourceQuantity> InOrder(params string[] names) => names.ToDictionary(name => name, _ => new ResourceQuantity("1"));
    }

    [Theory]
    [MemberData(nameof(Changes))]
    public void Whatever_makes_another_container_makes_another_revision(string what, Action<ReplicaTemplate> change)
    {
        var changed = Template();
        change(changed);

        Assert.True(RevisionHash.Of(Template()) != RevisionHash.Of(changed), what);
    }

    public static TheoryData<string, Action<ReplicaTemplate>> Changes => new()
    {
        { "image", template => template.Image = "web:v2" },
        { "imagePullPolicy", template => template.ImagePullPolicy = PullPolicies.Always },
        { "imagePullSecrets", template => template.ImagePullSecrets = [new V1LocalObjectReference { Name = "registry" }] },
        { "restartedAt", template => template.RestartedAt = "2026-01-02T03:04:05Z" },
        { "command", template => template.Command = ["/bin/web"] },
        { "args", template => template.Args = ["-v"] },
        { "env", template => template.Env![0].Value = "2" },
        { "envFrom", template => template.EnvFrom = [new EnvironmentSource { SecretRef = new ContentReference { Name = "web" } }] },
        { "files", template => template.Files = [new FileMount { MountPath = "/etc/web", ConfigMap = new FileSource { Name = "web" } }] },
        { "contentHash", template => template.ContentHash = "5d41402abc4b2a76" },
        { "port", template => template.Port = 80 },
        { "resources", template => template.Resources = new ResourceNeeds { Limits = new Dictionary<string, ResourceQuantity> { ["cpu"] = new("100m") } } },
        { "readinessProbe", template => template.ReadinessProbe = new V1Probe { PeriodSeconds = 1 } },
        { "livenessProbe", template => template.LivenessProbe = new V1Probe { PeriodSeconds = 1 } },
        { "startupProbe", template => template.StartupProbe = new V1Probe { PeriodSeconds = 1 } },
        { "lifecycle", template => template.Lifecycle = new V1Lifecycle { PreStop = new V1LifecycleHandler { Sleep = new V1SleepAction { Seconds = 1 } } } },
        { "terminationGracePeriodSeconds", template => template.TerminationGracePeriodSeconds = 5 },
        { "drainTimeoutSeconds", template => template.DrainTimeoutSeconds = 5 },
    };

    // A change of this value would restart every replica of every site at an upgrade of the controller.
    private const string GoldenHash = "954bpn95sc";

    private static ReplicaTemplate Template() => new() { Image = "web:v1", Port = 8080, Env = [new EnvironmentVariable { Name = "A", Value = "1" }] };
}
