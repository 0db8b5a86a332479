from datetime import UTC, datetime, timedelta

from django.test import SimpleTestCase

from webjobs.views.times import long_words, short_words, span_words

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


class SpanTests(SimpleTestCase):
    def test_it_rounds_to_the_largest_unit_beyond_its_threshold(self) -> None:
        for span, words in [
            (timedelta(0), "less than 1ms"),
            (timedelta(milliseconds=380), "380 ms"),
            (timedelta(seconds=1), "1000 ms"),
            (timedelta(seconds=4.4), "4 s"),
            (timedelta(seconds=10), "10 s"),
            (timedelta(seconds=10.6), "11 seconds"),
            (timedelta(seconds=60), "60 seconds"),
            (timedelta(seconds=61), "1 minute"),
            (timedelta(seconds=90), "2 minutes"),
            (timedelta(minutes=60), "60 minutes"),
            (timedelta(hours=24), "24 hours"),
            (timedelta(hours=25), "1 day"),
            (timedelta(days=7), "7 days"),
            (timedelta(days=8), "1 week"),
            (timedelta(days=30), "4 weeks"),
        ]:
            with self.subTest(span=span):
                self.assertEqual(span_words(span), words)


class LongWordsTests(SimpleTestCase):
    def test_past_and_future_read_differently(self) -> None:
        for distance, words in [
            (timedelta(seconds=3), "a moment ago"),
            (timedelta(seconds=-3), "in a moment"),
            (timedelta(minutes=3), "3 minutes ago"),
            (timedelta(hours=-2), "in 2 hours"),
            (timedelta(days=6), "6 days ago"),
        ]:
            with self.subTest(distance=distance):
                self.assertEqual(long_words(NOW - distance, NOW), words)

    def test_beyond_six_and_a_half_days_it_is_the_date(self) -> None:
        self.assertEqual(long_words(NOW - timedelta(days=7), NOW), "2026-11-15 12:00:00")


class ShortWordsTests(SimpleTestCase):
    def test_it_uses_the_short_units_of_the_blade(self) -> None:
        for distance, words in [
            (timedelta(seconds=59), "Just now"),
            (timedelta(minutes=5, seconds=50), "5 min ago"),
            (timedelta(hours=23, minutes=59), "23 h ago"),
            (timedelta(days=3, hours=5), "3 d ago"),
            (timedelta(seconds=-9), "in 9 s"),
            (timedelta(minutes=-5), "in 5 min"),
            (timedelta(hours=-7), "in 7 h"),
        ]:
            with self.subTest(distance=distance):
                self.assertEqual(short_words(NOW - distance, NOW), words)
