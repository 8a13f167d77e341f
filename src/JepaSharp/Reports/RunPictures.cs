using JepaSharp.Data;
using JepaSharp.Data.Cropping;
using JepaSharp.Data.Loading;
using JepaSharp.Data.Sources;
using JepaSharp.Evaluation;
using JepaSharp.Models;
using JepaSharp.Objectives;
using JepaSharp.Runtime;
using static TorchSharp.torch;

namespace JepaSharp.Reports;

/// <summary>An image in the report, with what the encoders make of it.</summary>
/// <param name="Name">Its name in the source.</param>
/// <param name="Image">As the encoder sees it.</param>
/// <param name="Untrained">Patch features of the untrained encoder as colours, a pixel a patch.</param>
/// <param name="Trained">Those of the trained one.</param>
internal sealed record PicturedImage(string Name, RgbImage Image, RgbImage Untrained, RgbImage Trained);

/// <summary>An image and others.</summary>
/// <param name="Query">The image.</param>
/// <param name="Nearest">The nearest by features, nearest first.</param>
internal sealed record PicturedNeighbours(NamedImage Query, IReadOnlyList<(NamedImage Image, double Cosine)> Nearest);

/// <summary>An image with its name and class, where it has one.</summary>
internal sealed record NamedImage(string Name, string? Class, RgbImage Image);

/// <summary>The pictures of a report: the objective's own, feature maps and nearest neighbours on images of the run's own data.</summary>
/// <param name="Images">A few images with feature maps.</param>
/// <param name="TrainedShare">Share of the trained encoder's variance over patches that the three colours show.</param>
/// <param name="Neighbours">A few images with their neighbours.</param>
/// <param name="Searched">Among how many images neighbours were looked for.</param>
/// <param name="Objective">What the objective shows of the images; null where it shows nothing.</param>
internal sealed record RunPictures(IReadOnlyList<PicturedImage> Images, double TrainedShare, IReadOnlyList<PicturedNeighbours> Neighbours,
    int Searched, ObjectivePictures? Objective)
{
    /// <summary>The images that could not be read; null where all could.</summary>
    public LeftOutImages? LeftOut { get; private init; }

    private const int ShownImages = 6, Queries = 6, PerQuery = 5, MostSearched = 1000, LargestSide = 160;

    /// <summary>Draws the pictures.</summary>
    /// <param name="beginning">The objective as it began.</param>
    /// <param name="seed">The run's seed.</param>
    /// <param name="source">Its images.</param>
    /// <param name="transform">How an image is brought to size.</param>
    /// <param name="scaling">The normalisation of the training.</param>
    /// <param name="trained">The encoder as it is.</param>
    /// <param name="device">Where the encoders are.</param>
    /// <param name="searched">Among how many images neighbours are looked for, at most.</param>
    /// <param name="learned">The objective with trained weights; null where its own pictures do not depend on them.</param>
    /// <param name="cancellation">Stops between batches.</param>
    public static RunPictures Draw(
        Objective beginning, ulong seed, ImageSource source, EvaluationTransform transform, PixelScaling scaling, VisionTransformer trained,
        Device device,
        int searched = MostSearched, Objective? learned = null, CancellationToken cancellation = default)
    {
        var order = Enumerable.Range(0, source.Count).ToArray();
        new RandomStream(seed, RandomPurpose.Evaluation, epoch: 2).Shuffle(order.AsSpan());
        // in the shuffled order: the first are the ones shown
        var chosen = order[..Math.Min(Math.Clamp(searched, Queries + ShownImages, MostSearched), order.Length)];
        var features = new FeatureExtractor(scaling, transform, device).Pooled(trained, source, chosen, cancellation: cancellation);
        var shown = Read(source, transform, [.. features.Indices.Take(ShownImages)]);

        var zoom = Math.Max(1, LargestSide / shown[0].Image.Width);
        var objective = (learned ?? beginning).Draw([.. shown.Select(s => s.Image)], [.. shown.Select(s => s.Index)], Step.Untracked(seed), zoom);
        var (before, _) = Colours(beginning.Encoder, shown, scaling, device);
        var (after, share) = Colours(trained, shown, scaling, device);
        List<PicturedImage> images = [.. shown.Select((s, i) => new PicturedImage(source.NameOf(s.Index), s.Image, before[i], after[i]))];
        return new RunPictures(images, share, FindNeighbours(features, source, transform), features.Indices.Length, objective)
        {
            LeftOut = LeftOutImages.Of("images looked at", source, features.Indices, chosen),
        };
    }

    private static List<PicturedNeighbours> FindNeighbours(PooledFeatures features, ImageSource source, EvaluationTransform transform)
    {
        // Not the images shown above: others say more.
        var first = features.Indices.Length > ShownImages + Queries ? ShownImages : 0;
        int[] queries = [.. Enumerable.Range(first, Math.Min(Queries, features.Indices.Length - first))];
        var found = queries.Select(query => Reports.Neighbours.Of(features.Matrix, query, PerQuery)).ToList();
        int[] needed = [.. queries.Concat(found.SelectMany(f => f.Select(n => n.Row))).Distinct().Select(row => features.Indices[row])];
        var images = Read(source, transform, needed).ToDictionary(read => read.Index, read => read.Image);
        NamedImage Named(int row)
        {
            var index = features.Indices[row];
            return new NamedImage(source.NameOf(index), source.LabelOf(index) is { } label ? source.Classes[label] : null, images[index]);
        }

        return [.. queries.Zip(found).Select(
            pair => new PicturedNeighbours(Named(pair.First), [.. pair.Second.Select(n => (Named(n.Row), n.Cosine))]))];
    }

    private static (IReadOnlyList<RgbImage> Pictures, double Share) Colours(
        VisionTransformer encoder, List<(int Index, RgbImage Image)> images, PixelScaling scaling, Device device)
    {
        using var scope = NewDisposeScope();
        using var untracked = no_grad();
        var (width, height) = (images[0].Image.Width, images[0].Image.Height);
        var batch = new ImageBatch(images.Count, height, width, [.. images.SelectMany(i => i.Image.Pixels)], [.. images.Select(i => i.Index)]);
        var patches = EncodedTokens.Patches(encoder.forward(scaling.ToImages(batch).to(device)).to(float32), encoder.Shape).flatten(0, 1);
        return FeatureColours.Of(FeatureMatrix.FromTensor(patches), height / encoder.Shape.PatchSize, width / encoder.Shape.PatchSize);
    }

    private static List<(int Index, RgbImage Image)> Read(ImageSource source, EvaluationTransform transform, int[] indices)
    {
        var images = new List<(int, RgbImage)>();
        foreach (var batch in new ImageReader(source, transform, Math.Min(32, indices.Length)).Read(indices))
        {
            var bytes = batch.Height * batch.Width * 3;
            for (var i = 0; i < batch.Count; i++)
                images.Add((batch.Indices[i], new RgbImage(batch.Width, batch.Height, batch.Pixels.AsSpan(i * bytes, bytes).ToArray())));
        }

        return images;
    }
}

/// <summary>Features as colour: the first three principal components of patch features as red, green and blue.</summary>
/// <remarks>
/// One set of axes and one scale for all images, so that the same colour means the same feature everywhere. Each component runs from its 2nd to its
/// 98th percentile; what lies outside is clipped.
/// </remarks>
internal static class FeatureColours
{
    private const double Clipped = 0.02;

    /// <summary>A picture an image, one pixel a patch.</summary>
    /// <param name="patches">[n N, D]: the patches of the first image, row by row, then those of the next.</param>
    /// <param name="gridHeight">Patches in a column.</param>
    /// <param name="gridWidth">Patches in a row.</param>
    /// <returns>The pictures, and the share of the features' variance that the three components hold.</returns>
    public static (IReadOnlyList<RgbImage> Pictures, double Share) Of(FeatureMatrix patches, int gridHeight, int gridWidth)
    {
        const int Channels = 3;
        var components = PrincipalComponents.Fit(patches, Channels);
        double[][] points = [.. Enumerable.Range(0, patches.Rows).Select(row => components.Project(patches.Row(row)))];
        var ranges = new (double Low, double High)[Channels];
        for (var c = 0; c < Channels; c++)
        {
            double[] sorted = [.. points.Select(p => p[c]).Order()];
            ranges[c] = (sorted[(int)(Clipped * (sorted.Length - 1))], sorted[(int)((1 - Clipped) * (sorted.Length - 1))]);
        }

        var perImage = gridHeight * gridWidth;
        List<RgbImage> pictures = [.. points.Chunk(perImage).Select(own =>
            new RgbImage(gridWidth, gridHeight, [.. own.SelectMany(point => point.Select((value, c) => Byte(value, ranges[c])))]))];
        return (pictures, components.TotalVariance > 0 ? components.Variances.Sum() / components.TotalVariance : 0);
    }

    private static byte Byte(double value, (double Low, double High) range) =>
        range.High > range.Low ? (byte)Math.Round(255 * Math.Clamp((value - range.Low) / (range.High - range.Low), 0, 1)) : (byte)128;
}
