using JepaSharp.Runtime;

namespace JepaSharp.Evaluation.Neighbours;

/// <summary>Lays images out on a plane so that neighbours stay neighbours.</summary>
/// <remarks>
/// UMAP (McInnes, Healy and Melville, arXiv 1802.03426), written from the paper: a graph of the k nearest neighbours, each edge with the probability
/// that it is one, laid out from the principal components by stochastic gradient descent on the cross-entropy of these probabilities. With d the
/// distance on the plane,
/// <code>
/// directed      p(j|i) = exp(-max(0, d_ij - rho_i) / sigma_i)        rho_i nearest distance, sigma_i so that the sum over j is log2 k
/// undirected    p_ij = p(j|i) + p(i|j) - p(j|i) p(i|j)
/// on the plane  q = 1 / (1 + a d^2b)                                 a, b of a least distance of 0.1
/// attraction    -2ab d^(2b-2) / (1 + a d^2b) (x_i - x_j)             repulsion of drawn others: 2b / ((0.001 + d²)(1 + a d^2b)) (x_i - x_j)
/// </code>
/// One thread, one keyed stream: the same images and seed give the same picture.
/// </remarks>
public static class NeighbourLayout
{
    private const double A = 1.5769, B = 0.8951, Span = 10, LargestStep = 4;
    private const int Negatives = 5, SmallSet = 10_000;

    /// <summary>Places [n, 2].</summary>
    /// <param name="neighbours">Of each image of the set, without itself.</param>
    /// <param name="start">[n, 2] to begin with: the first two principal components.</param>
    /// <param name="seed">Seed of the drawn others.</param>
    /// <param name="progress">Is told how many passes are done, of <see cref="PassesFor"/>.</param>
    /// <param name="cancellation">Stops between passes.</param>
    public static float[] Of(
        NeighbourLists neighbours, ReadOnlySpan<float> start, ulong seed = 0, IProgress<int>? progress = null,
        CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(neighbours);
        var count = start.Length / 2;
        var places = Started(start, seed);
        if (count < 3 || neighbours.Count == 0) return Array.ConvertAll(places, value => (float)value);
        var edges = Edges(neighbours, count);
        var passes = PassesFor(count);
        var strongest = edges.Max(edge => edge.Weight);
        var (every, next) = (new double[edges.Count], new double[edges.Count]);
        for (var e = 0; e < edges.Count; e++) next[e] = every[e] = strongest / edges[e].Weight;
        var random = new RandomStream(seed, RandomPurpose.Evaluation, 1);
        for (var pass = 0; pass < passes; pass++)
        {
            cancellation.ThrowIfCancellationRequested();
            var rate = 1 - ((double)pass / passes);
            for (var e = 0; e < edges.Count; e++)
            {
                if (next[e] > pass + 1) continue;
                next[e] += every[e];
                Pull(places, edges[e].From, edges[e].To, rate);
                for (var n = 0; n < Negatives; n++)
                {
                    var other = random.NextInt(count);
                    if (other != edges[e].From) Push(places, edges[e].From, other, rate);
                }
            }

            progress?.Report(pass + 1);
        }

        return Array.ConvertAll(places, value => (float)value);
    }

    /// <summary>Passes over the edges: more for fewer images.</summary>
    public static int PassesFor(int images) => images <= SmallSet ? 300 : 150;

    /// <summary>The first two principal components, which a layout begins with: [n, 2].</summary>
    /// <param name="vectors">The images.</param>
    public static float[] Principal(UnitVectors vectors)
    {
        ArgumentNullException.ThrowIfNull(vectors);
        var places = new float[2 * vectors.Rows];
        if (vectors.Rows < 2) return places;
        var components = PrincipalComponents.Fit(vectors.ToMatrix(), Math.Min(2, vectors.Width));
        for (var row = 0; row < vectors.Rows; row++)
        {
            var at = components.Project(vectors.Row(row));
            for (var axis = 0; axis < at.Length; axis++) places[(2 * row) + axis] = (float)at[axis];
        }

        return places;
    }

    /// <summary>How far a layout is to be trusted: 1 where the k nearest on the plane are among the k nearest in truth, less for each that is not, by
    /// how far it is away (Venna and Kaski, 2001, trustworthiness).</summary>
    /// <param name="vectors">The images, few enough to compare every pair.</param>
    /// <param name="places">[n, 2].</param>
    /// <param name="count">k, less than half of n.</param>
    public static double Trustworthiness(UnitVectors vectors, ReadOnlySpan<float> places, int count)
    {
        ArgumentNullException.ThrowIfNull(vectors);
        var n = vectors.Rows;
        var (sum, on) = (0.0, places.ToArray());
        for (var i = 0; i < n; i++)
        {
            int[] near = [.. Others(i).OrderBy(j => Squared(on, i, j)).Take(count)];
            int[] truth = [.. Others(i).OrderByDescending(j => vectors.Cosine(i, vectors, j))];
            foreach (var j in near) sum += Math.Max(0, Array.IndexOf(truth, j) + 1 - count);
        }

        return 1 - (2.0 / (n * count * ((2.0 * n) - (3 * count) - 1)) * sum);

        IEnumerable<int> Others(int i) => Enumerable.Range(0, n).Where(j => j != i);
    }

    private static double[] Started(ReadOnlySpan<float> start, ulong seed)
    {
        var largest = 1e-12;
        foreach (var value in start) largest = Math.Max(largest, Math.Abs(value));
        var random = new RandomStream(seed, RandomPurpose.Evaluation, 2);
        var places = new double[start.Length];
        // Equal images are put a little apart, since nothing else would part them.
        for (var i = 0; i < places.Length; i++) places[i] = (start[i] / largest * Span) + (1e-4 * random.NextGaussian());
        return places;
    }

    private static List<(int From, int To, double Weight)> Edges(NeighbourLists neighbours, int count)
    {
        var weights = new Dictionary<(int, int), (double There, double Back)>();
        for (var i = 0; i < count; i++)
        {
            var likely = Likely(neighbours, i);
            for (var place = 0; place < likely.Length; place++)
            {
                var j = neighbours.Rows[(i * neighbours.Count) + place];
                if (j < 0 || likely[place] <= 0) continue;
                var key = (Math.Min(i, j), Math.Max(i, j));
                var (there, back) = weights.GetValueOrDefault(key);
                weights[key] = i < j ? (likely[place], back) : (there, likely[place]);
            }
        }

        var edges = new List<(int, int, double)>(2 * weights.Count);
        foreach (var ((i, j), (there, back)) in weights)
        {
            var weight = there + back - (there * back);
            edges.Add((i, j, weight));
            edges.Add((j, i, weight));
        }

        return edges;
    }

    /// <summary>p(j|i) of an image's neighbours; sigma by bisection.</summary>
    private static double[] Likely(NeighbourLists neighbours, int image)
    {
        // Of vectors of length 1 the distance is the root of 2 - 2 cosine.
        double[] distances = [.. neighbours.Cosines.AsSpan(image * neighbours.Count, neighbours.Count).ToArray()
            .Select(cosine => Math.Sqrt(Math.Max(0, 2 - (2 * Math.Clamp((double)cosine, -1, 1)))))];
        var nearest = distances.FirstOrDefault(d => d > 0);
        var (low, high, wanted) = (1e-6, 1e3, Math.Log2(Math.Max(2, distances.Length)));
        for (var step = 0; step < 48; step++)
        {
            var middle = Math.Sqrt(low * high);
            if (distances.Sum(d => Probability(d, nearest, middle)) > wanted) high = middle;
            else low = middle;
        }

        return Array.ConvertAll(distances, d => Probability(d, nearest, Math.Sqrt(low * high)));
    }

    private static double Probability(double distance, double nearest, double sigma) => Math.Exp(-Math.Max(0, distance - nearest) / sigma);

    private static void Pull(double[] places, int i, int j, double rate)
    {
        var squared = Squared(places, i, j);
        if (squared <= 0) return;
        var power = Math.Pow(squared, B);
        var factor = -2 * A * B * power / squared / (1 + (A * power));
        for (var axis = 0; axis < 2; axis++)
        {
            var step = Math.Clamp(factor * (places[(2 * i) + axis] - places[(2 * j) + axis]), -LargestStep, LargestStep) * rate;
            places[(2 * i) + axis] += step;
            places[(2 * j) + axis] -= step;
        }
    }

    private static void Push(double[] places, int i, int j, double rate)
    {
        var squared = Squared(places, i, j);
        if (squared <= 0) return;
        var factor = 2 * B / ((0.001 + squared) * (1 + (A * Math.Pow(squared, B))));
        for (var axis = 0; axis < 2; axis++)
            places[(2 * i) + axis] += Math.Clamp(factor * (places[(2 * i) + axis] - places[(2 * j) + axis]), -LargestStep, LargestStep) * rate;
    }

    private static double Squared(double[] places, int i, int j)
    {
        double x = places[2 * i] - places[2 * j], y = places[(2 * i) + 1] - places[(2 * j) + 1];
        return (x * x) + (y * y);
    }

    private static double Squared(float[] places, int i, int j)
    {
        double x = places[2 * i] - places[2 * j], y = places[(2 * i) + 1] - places[(2 * j) + 1];
        return (x * x) + (y * y);
    }
}
