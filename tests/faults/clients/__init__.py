"""People at their tabs, by the rules of the page's own client, who write down all they see."""
