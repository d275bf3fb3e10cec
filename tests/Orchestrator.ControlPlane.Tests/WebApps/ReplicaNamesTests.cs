using Orchestrator.ControlPlane.WebApps;

namespace Orchestrator.ControlPlane.Tests.WebApps;

public sealed class ReplicaNamesTests
{
    [Fact]
    public void The_same_app_and_revision_has_the_same_names_every_time() =>
        Assert.Equal(ReplicaNames.Of("web", "uid", "abc").Take(50), ReplicaNames.Of("web", "uid", "abc").Take(50));

    [Fact]
    public void Another_app_of_the_name_or_another_revision_has_others()
    {
        var names = ReplicaNames.Of("web", "uid", "abc").Take(50).ToHashSet();

        Assert.DoesNotContain(ReplicaNames.Of("web", "other", "abc").Take(50), names.Contains);
        Assert.DoesNotContain(ReplicaNames.Of("web", "uid", "abd").Take(50), names.Contains);
    }

    [Fact]
    public void No_name_comes_twice() => Assert.Equal(20_000, ReplicaNames.Of("web", "uid", "abc").Take(20_000).Distinct().Count());

    [Fact]
    public void A_name_is_the_app_the_revision_and_five_characters() =>
        Assert.All(ReplicaNames.Of("web", "uid", "abc").Take(50), name => Assert.Matches("^web-abc-[a-z2-9]{5}$", name));
}
