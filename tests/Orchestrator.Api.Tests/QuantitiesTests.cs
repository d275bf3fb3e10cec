using k8s;
using k8s.Models;

namespace Orchestrator.Api.Tests;

public sealed class QuantitiesTests
{
    [Theory]
    [InlineData("500m", 0.5)]
    [InlineData("64Mi", 67108864)]
    [InlineData("1e-18", 1e-18)]
    [InlineData("1e-40", 0)]
    public void A_quantity_is_a_number(string text, decimal number) => Assert.Equal(number, Find(text));

    [Theory]
    [InlineData("9223372036854775807")]
    [InlineData("9223372036854775808")]
    [InlineData("9999999999999999999E")]
    [InlineData("9Ei")]
    [InlineData("1e40")]
    [InlineData("1e400")]
    public void What_is_beyond_the_largest_counts_as_the_largest(string text) => Assert.Equal(Quantities.Largest, Find(text));

    [Fact]
    public void A_resource_that_is_not_named_has_none()
    {
        Assert.Null(Quantities.Find(null, "cpu"));
        Assert.Null(Quantities.Find(new Dictionary<string, ResourceQuantity> { ["memory"] = new("1Gi") }, "cpu"));
    }

    // What the schema lets through must survive being written again: a template is hashed and copied as JSON.
    [Theory]
    [InlineData("9999999999999999999.999999999")]
    [InlineData("9999999999999999999.999999999E")]
    [InlineData("9999999999999999999.999999999e18")]
    [InlineData("9999999999999999999.999999999e-18")]
    [InlineData("9999999999999999999.999999999Ei")]
    [InlineData(".000000001n")]
    public void The_longest_quantities_can_be_written(string text) => Assert.NotEmpty(KubernetesJson.Serialize(new ResourceQuantity(text)));

    private static decimal? Find(string text) => Quantities.Find(new Dictionary<string, ResourceQuantity> { ["cpu"] = new(text) }, "cpu");
}
