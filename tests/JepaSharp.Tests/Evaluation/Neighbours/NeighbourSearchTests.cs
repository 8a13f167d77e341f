using JepaSharp.Evaluation;
using JepaSharp.Evaluation.Neighbours;
using JepaSharp.Runtime;

namespace JepaSharp.Tests.Evaluation.Neighbours;

public sealed class NeighbourSearchTests
{
    [Fact]
    public void Neighbours_ComparedInBlocks_AreThoseOfTheDefinition()
    {
        var set = UnitVectors.Of(Synthetic.Noise(300, 7, 1, offset: 5));
        using var search = new ComparedNeighbours(set);
        var queries = set.Like(Synthetic.Noise(9, 7, 2, offset: 5));
        var found = search.Nearest(queries, 4, cancellation: TestContext.Current.CancellationToken);
        for (var query = 0; query < queries.Rows; query++)
        {
            int[] expected = [.. Enumerable.Range(0, 300).OrderByDescending(row => queries.Cosine(query, set, row)).Take(4)];
            Assert.Equal(expected, found.Rows.AsSpan(query * 4, 4).ToArray());
            Assert.Equal(queries.Cosine(query, set, expected[0]), found.Cosines[query * 4], 1e-5);
        }
    }

    [Fact]
    public void NearestOfEach_ImagesThatAreEqual_LeaveOutTheImageItselfAlone()
    {
        var noise = Synthetic.Noise(40, 5, 1);
        var set = UnitVectors.Of(noise.Select([.. Enumerable.Range(0, 40).Select(i => i < 6 ? 0 : i)])); // six equal ones
        using var search = new ComparedNeighbours(set);
        var found = search.NearestOfEach(3, cancellation: TestContext.Current.CancellationToken);
        for (var row = 0; row < 40; row++)
        {
            var near = found.Rows.AsSpan(row * 3, 3).ToArray();
            Assert.DoesNotContain(row, near);
            Assert.Equal(3, near.Distinct().Count());
            if (row < 6) Assert.All(near, other => Assert.InRange(other, 0, 5));
        }

        var alone = search.Nearest(set.Select([7]), 5, cancellation: TestContext.Current.CancellationToken);
        var amongAll = search.Nearest(set, 5, cancellation: TestContext.Current.CancellationToken);
        Assert.Equal(alone.Cosines, amongAll.Cosines.AsSpan(7 * 5, 5).ToArray()); // to the bit
        Assert.Equal(39, search.NearestOfEach(1000, cancellation: TestContext.Current.CancellationToken).Count);
    }

    [Fact]
    public void Pairs_AboveACosine_AreThoseOfTheDefinition()
    {
        var set = UnitVectors.Of(Synthetic.Noise(200, 4, 3));
        using var search = new ComparedNeighbours(set);
        var pairs = search.PairsAbove(0.9, 100_000, cancellation: TestContext.Current.CancellationToken)!;
        var expected = from a in Enumerable.Range(0, 200) from b in Enumerable.Range(a + 1, 199 - a) where set.Cosine(a, set, b) >= 0.9 select (a, b);
        Assert.Equal(expected, pairs.Select(p => (p.First, p.Second)).Order());
        Assert.Null(search.PairsAbove(-1, 100, cancellation: TestContext.Current.CancellationToken));
    }

    [Fact]
    public void Vectors_OfImagesThatAreAllEqual_AreAlike()
    {
        var set = UnitVectors.Of(Synthetic.Noise(1, 6, 1, offset: 3).Select(new int[50]));
        Assert.Equal(1, set.Cosine(0, set, 49), 1e-6);
        var two = UnitVectors.Of(Synthetic.Noise(1, 6, 1).Select(new int[2]));
        Assert.Equal(1, two.Cosine(0, two, 1), 1e-6);
    }

    /// <summary>Clouds, as features of images are, 20,000 of 64 numbers: the share of the 10 nearest that the index finds.</summary>
    [Fact]
    public void Index_OfSyntheticVectors_FindsNearlyAllNeighbours()
    {
        const int Images = 20_000, Width = 64, Queries = 200, Count = 10;
        var set = UnitVectors.Of(Synthetic.Clouds(Images, Width, 40, 4, 1).Features);
        int[] rows = [.. Enumerable.Range(0, Queries).Select(i => i * (Images / Queries))];
        var queries = set.Like(Synthetic.Clouds(Images, Width, 40, 4, 1).Features.Select(rows));
        using var exact = new ComparedNeighbours(set);
        using var index = IndexedNeighbours.Of(set, cancellation: TestContext.Current.CancellationToken);
        var truth = exact.Nearest(queries, Count, cancellation: TestContext.Current.CancellationToken);
        var found = index.Nearest(queries, Count, cancellation: TestContext.Current.CancellationToken);
        var right = Enumerable.Range(0, Queries).Sum(
            q => truth.Rows.AsSpan(q * Count, Count).ToArray().Intersect(found.Rows.AsSpan(q * Count, Count).ToArray()).Count());
        var recall = (double)right / (Queries * Count);
        TestContext.Current.TestOutputHelper!.WriteLine($"recall {recall:F3}");
        Assert.InRange(recall, 0.9, 1);
        Assert.Equal(truth.Cosines[0], found.Cosines[0], 1e-4);
    }

    /// <summary>A good index and one that is made too thin: what each says it finds is what it finds.</summary>
    [Theory]
    [InlineData(16UL, 128UL, 0.9, 1)]
    [InlineData(2UL, 11UL, 0, 0.9)]
    public void Index_OfWhatItFinds_SaysTheTruth(ulong links, ulong width, double least, double most)
    {
        const int Images = 6000, Asked = 100, Count = 10;
        var set = UnitVectors.Of(Synthetic.Clouds(Images, 48, 40, 3, 1).Features);
        using var exact = new ComparedNeighbours(set);
        using var index = IndexedNeighbours.Of(set, links: links, width: width, cancellation: TestContext.Current.CancellationToken);
        int[] rows = [.. Enumerable.Range(0, Asked).Select(i => i * (Images / Asked))];
        var queries = set.Select(rows);
        var truth = exact.Nearest(queries, Count + 1, cancellation: TestContext.Current.CancellationToken);
        var found = index.Nearest(queries, Count + 1, cancellation: TestContext.Current.CancellationToken);
        var right = Enumerable.Range(0, Asked).Sum(q => truth.Rows.AsSpan(q * (Count + 1), Count + 1).ToArray().Where(row => row != rows[q])
            .Intersect(found.Rows.AsSpan(q * (Count + 1), Count + 1).ToArray()).Count());
        Assert.Equal(right / (double)(Asked * Count), index.Recall.Share, 0.01);
        Assert.InRange(index.Recall.Share, least, most);
        Assert.Equal(Asked, index.Recall.Images);
    }

    [Fact]
    public void Search_OfMoreThanAreCompared_AsksAnIndexAndSaysWhatItFinds()
    {
        var set = UnitVectors.Of(Synthetic.Clouds(500, 16, 5, 3, 1).Features);
        using var compared = NeighbourSearch.Over(set, mostCompared: 500, cancellation: TestContext.Current.CancellationToken);
        using var asked = NeighbourSearch.Over(set, mostCompared: 499, cancellation: TestContext.Current.CancellationToken);
        Assert.Equal("every pair compared", compared.Words);
        Assert.Matches(
            "^by an index \\(USearch\\), which found (9[0-9]|100)\\.[0-9]% of the true ten nearest of 100 images that were checked$", asked.Words);
        Assert.Equal(
            Outliers.Rank(compared, cancellation: TestContext.Current.CancellationToken)[0].Row,
            Outliers.Rank(asked, cancellation: TestContext.Current.CancellationToken)[0].Row);
    }

    [Fact]
    public void Outliers_OneImageFarFromAll_ComesFirst()
    {
        var stream = new RandomStream(1, RandomPurpose.Evaluation);
        var values = new float[60 * 3];
        for (var i = 0; i < 60; i++)
        {
            values[i * 3] = i == 17 ? -10 : 10;
            values[(i * 3) + 1] = (float)(i == 17 ? 10 : 0.1 * stream.NextGaussian());
            values[(i * 3) + 2] = (float)(0.1 * stream.NextGaussian());
        }

        using var search = NeighbourSearch.Over(
            UnitVectors.Of(new FeatureMatrix(60, 3, values)), cancellation: TestContext.Current.CancellationToken);
        var ranked = Outliers.Rank(search, 5, cancellation: TestContext.Current.CancellationToken);
        Assert.Equal(17, ranked[0].Row);
        Assert.Equal(60, ranked.Count);
        Assert.True(ranked.Zip(ranked.Skip(1)).All(pair => pair.First.Distance >= pair.Second.Distance));
    }

    [Fact]
    public void Clusters_OfSeparateClouds_AreTheClouds()
    {
        var set = Synthetic.Clouds(240, 12, 4, 20, 2);
        var clusters = KMeans.Fit(UnitVectors.Of(set.Features), 4);
        Assert.Equal(4, clusters.Count);
        for (var label = 0; label < 4; label++)
            Assert.Single(Enumerable.Range(0, 240).Where(i => set.Labels[i] == label).Select(i => clusters.Labels[i]).Distinct());
        var one = KMeans.Fit(UnitVectors.Of(set.Features), 1);
        Assert.True(clusters.Inertia < one.Inertia);
        Assert.Equal(clusters.Labels, KMeans.Fit(UnitVectors.Of(set.Features), 4).Labels);
        Assert.Equal(1, KMeans.Fit(UnitVectors.Of(Synthetic.Noise(1, 6, 1).Select(new int[50])), 5).Count);
    }

    /// <summary>Twelve clouds cannot be told apart by two axes, but by their neighbours.</summary>
    [Fact]
    public void Layout_OfManyClouds_KeepsNeighboursBetterThanTwoAxes()
    {
        var set = UnitVectors.Of(Synthetic.Clouds(600, 24, 12, 6, 2).Features);
        using var search = NeighbourSearch.Over(set, cancellation: TestContext.Current.CancellationToken);
        var graph = search.NearestOfEach(15, cancellation: TestContext.Current.CancellationToken);
        var principal = NeighbourLayout.Principal(set);
        var layout = NeighbourLayout.Of(graph, principal, cancellation: TestContext.Current.CancellationToken);
        var (before, after) = (NeighbourLayout.Trustworthiness(set, principal, 10), NeighbourLayout.Trustworthiness(set, layout, 10));
        TestContext.Current.TestOutputHelper!.WriteLine($"trustworthiness {before:F3} of two axes, {after:F3} of the layout");
        Assert.InRange(after, 0.85, 1);
        Assert.True(after > before + 0.05, $"{after} against {before}");
        Assert.Equal(layout, NeighbourLayout.Of(graph, principal, cancellation: TestContext.Current.CancellationToken));
    }

    [Fact]
    public void Trustworthiness_OfThePlaneItself_IsOne()
    {
        var values = new float[40 * 2];
        for (var i = 0; i < 40; i++)
        {
            var angle = (0.05 * i) + (0.001 * i * i);
            (values[2 * i], values[(2 * i) + 1]) = ((float)Math.Cos(angle), (float)Math.Sin(angle));
        }


        var set = UnitVectors.Of(new FeatureMatrix(30, 2, values[..60])); // fewer than 32: nothing is subtracted
        Assert.Equal(1, NeighbourLayout.Trustworthiness(set, values.AsSpan(0, 60), 5), 1e-12);
        Assert.True(NeighbourLayout.Trustworthiness(set, Synthetic.Noise(30, 2, 5).Values, 5) < 0.8);
    }
}
