using CsCheck;
using Orchestrator.ApiServer.Discovery;

namespace Orchestrator.ApiServer.Tests.Discovery;

public sealed class ContentNegotiationTests
{
    [Theory]
    [InlineData(null, ObjectForm.Plain, "")]
    [InlineData("*/*", ObjectForm.Plain, "")]
    [InlineData("application/*", ObjectForm.Plain, "")]
    [InlineData("application/json", ObjectForm.Plain, "")]
    [InlineData("application/json;stream=watch", ObjectForm.Plain, "")]
    [InlineData("application/vnd.kubernetes.protobuf,application/json", ObjectForm.Plain, "")]
    [InlineData("application/vnd.kubernetes.protobuf", ObjectForm.Plain, "")]
    [InlineData("application/json;as=Table;v=v1;g=meta.k8s.io,application/json;as=Table;v=v1beta1;g=meta.k8s.io,application/json", ObjectForm.Table, "v1")]
    [InlineData("application/json;as=Table;v=v9;g=meta.k8s.io,application/json;as=Table;v=v1beta1;g=meta.k8s.io,application/json", ObjectForm.Table, "v1beta1")]
    [InlineData("application/json;as=Table;v=v9;g=meta.k8s.io,application/json", ObjectForm.Plain, "")]
    [InlineData("application/vnd.kubernetes.protobuf;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,application/json",
        ObjectForm.PartialMetadata, "v1")]
    [InlineData("application/json;q=0.5;as=Table;v=v1;g=meta.k8s.io, application/json", ObjectForm.Plain, "")]
    [InlineData("Application/JSON ; AS=Table ; v=\"v1\" ; g=meta.k8s.io", ObjectForm.Table, "v1")]
    [InlineData("text/html, */*;q=0.1", ObjectForm.Plain, "")]
    public void An_object_is_shown_in_the_form_that_is_wanted_most(string? accept, ObjectForm form, string version) =>
        Assert.Equal(new ObjectRepresentation(form, version), ContentNegotiation.ForObject(accept));

    [Theory]
    [InlineData("text/html")]
    [InlineData("application/json;as=Chart;v=v1;g=meta.k8s.io")]
    [InlineData("application/json;as=Table;v=v1;g=example.org")]
    [InlineData("application/json;q=0")]
    [InlineData("application/json;q=x")]
    public void What_cannot_be_answered_is_not_acceptable(string accept) => Assert.Null(ContentNegotiation.ForObject(accept));

    [Fact]
    public void Where_there_is_one_form_only_no_other_is_chosen()
    {
        Assert.Null(ContentNegotiation.ForObject("application/json;as=Table;v=v1;g=meta.k8s.io", allowForms: false));
        Assert.Equal(
            ObjectRepresentation.Plain, ContentNegotiation.ForObject("application/json;as=Table;v=v1;g=meta.k8s.io,application/json", allowForms: false));
    }

    [Theory]
    [InlineData(null, DiscoveryForm.Plain)]
    [InlineData("application/json", DiscoveryForm.Plain)]
    [InlineData(
        "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList,application/json",
        DiscoveryForm.AggregatedV2)]
    [InlineData("application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList,application/json", DiscoveryForm.AggregatedV2Beta1)]
    [InlineData("application/json;g=apidiscovery.k8s.io;v=v3;as=APIGroupDiscoveryList,application/json", DiscoveryForm.Plain)]
    [InlineData("application/json;g=apidiscovery.k8s.io;v=v3;as=APIGroupDiscoveryList", null)]
    public void Discovery_is_shown_in_the_form_that_is_wanted_most(string? accept, DiscoveryForm? form) =>
        Assert.Equal(form, ContentNegotiation.ForDiscovery(accept));

    [Fact]
    public void The_content_type_names_the_form() => Assert.Equal(
        "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList", ContentNegotiation.ContentType(DiscoveryForm.AggregatedV2));

    [Fact]
    public void Whatever_the_header_it_answers() =>
        Gen.String[Gen.Char["ab/*;,=q. 01\""], 0, 40].Sample(accept => ContentNegotiation.ForObject(accept) is null or { Form: ObjectForm.Plain });
}
