namespace Llama3Perf.Results.Statistics;

/// <summary>How many launches would decide what is inconclusive.</summary>
internal static class LaunchPlan
{
    /// <summary>Beyond this a number is no advice.</summary>
    public const int MostLaunches = 100;

    /// <summary>
    /// Launches a side with which the same estimate at the same spread would be a pass or a regression; null when it takes more
    /// than <see cref="MostLaunches"/>. An estimate moves when more is measured, so it is "about" as many.
    /// </summary>
    public static int? LaunchesToDecide(RatioEstimate ratio, ChangeEvidence evidence, double alpha, int family, int now)
    {
        for (int launches = Math.Max(now + 1, LaunchSpread.LeastLaunches); launches <= MostLaunches; launches++)
        {
            double error = ratio.LaunchSd * Math.Sqrt(2.0 / launches);
            double degrees = LaunchSpread.ExpectedDegrees(launches);
            bool isPass = evidence.Gain - evidence.Tolerance.Loss > StudentT.Quantile(1 - alpha, degrees) * error;
            bool isRegression =
                evidence.Gain < evidence.Tolerance.Loss && -evidence.Gain > StudentT.Quantile(1 - (alpha / family), degrees) * error;
            if (isPass || isRegression)
            {
                return launches;
            }
        }

        return null;
    }
}
